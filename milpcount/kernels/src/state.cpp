#include "state.hpp"

#include "ranges.hpp"
#include "seeking.hpp"
#include "tape.hpp"

namespace milpcount {

State::State(const Net& network, bool emit, Index point_size, Index leaf_room, bool record,
             Index tape_room)
    : net(network),
      n(static_cast<int>(network.n)),
      cuts(network.domain_rows),
      emits(emit),
      row(static_cast<std::size_t>(network.domain_rows + network.units),
          static_cast<std::size_t>(network.n + 1)),
      error(static_cast<std::size_t>(network.domain_rows + network.units)),
      size(static_cast<std::size_t>(network.domain_rows + network.units)),
      scale(static_cast<std::size_t>(network.domain_rows + network.units)),
      above(static_cast<std::size_t>(network.domain_rows + network.units)),
      below(static_cast<std::size_t>(network.domain_rows + network.units)),
      place_of(static_cast<std::size_t>(network.units)),
      cut_begin(static_cast<std::size_t>(network.layers + 1)),
      passes(static_cast<std::size_t>(network.units)),
      leaf_signs(static_cast<std::size_t>(emit ? leaf_room : 0),
                 static_cast<std::size_t>(network.units)),
      leaf_points(static_cast<std::size_t>(emit ? leaf_room : 0),
                  static_cast<std::size_t>(point_size)),
      records(record),
      tape(static_cast<std::size_t>(record ? tape_room : 0)),
      z(static_cast<std::size_t>(padded(network.n + 1))),
      total(static_cast<std::size_t>(padded(network.n + 1))),
      factor(static_cast<std::size_t>(network.n + 1)) {
    const Index most = std::max(net.widest, cuts);
    for (Index l = 0; l < net.layers; ++l) {
        forms.emplace_back(n + 2, static_cast<std::size_t>(net.widths[l]));
        cut_begin[l + 1] = cut_begin[l] + words_for(net.widths[l]);
        weights.emplace_back(static_cast<std::size_t>(l == 0 ? 0 : net.widths[l - 1]),
                             static_cast<std::size_t>(net.widths[l]));
        for (Index i = 0; l > 0 && i < net.widths[l - 1]; ++i)
            std::memcpy(weights.back()[i], net.weights_of(l, i), sizeof(double) * net.widths[l]);
    }
    for (Index u = 0; u < net.units; ++u) passes[u] = net.slopes[u] != 0.0;
    low = Buffer<double>(padded(most));
    high = Buffer<double>(padded(most));
    entering = Buffer<std::int32_t>(most);
    gathered = Matrix<double>(n + 2, most);
    basic = Buffer<std::int32_t>(n);
    marked = Buffer<std::uint8_t>(n);
    steps = Steps(n);
    costs.value = Buffer<double>(n);
    costs.var = Buffer<std::int32_t>(n);
    if (record) {
        slack = 64 + (net.widest + 1) * (16 + 13 * n) + 13 * (n + net.units + cuts);
        tape.grow(static_cast<std::size_t>(tape_room + slack));
    }
}

void State::reach_slot(Index d) {
    while (static_cast<Index>(nodes.size()) <= d) {
        auto a = std::make_unique<Node>();
        a->rows = Dictionary(n, 0);
        a->sign = Buffer<std::int8_t>(net.units);
        a->active = Buffer<Word>(cut_begin[net.layers]);
        a->inactive = Buffer<Word>(cut_begin[net.layers]);
        if (net.layers > 1) a->partial = Matrix<double>(n + 2, net.widest);
        const Index words = words_for(std::max(net.widest, cuts));
        a->free = Buffer<Word>(words);
        a->above = Buffer<Word>(words);
        a->below = Buffer<Word>(words);
        a->marks = Buffer<Word>(2 * words * MARKS);
        nodes.push_back(std::move(a));
    }
}

namespace {

// Record which sign every free row has at the present vertex, or at one that is this step along a
// column away.
template <bool away = false>
void note_signs(Node& a, const double* column = nullptr, double step = 0.0) {
    const Dictionary& d = a.rows;
    const double* values = d.values();
    const int words = static_cast<int>(words_for(d.places));
    const Lanes high = fill(VISIBLE), low = fill(-VISIBLE);
    Word seen = 0;
    Word* mark = a.marks.data() + static_cast<std::size_t>(2 * words) * a.marked;
    const bool room = static_cast<std::size_t>(2 * words) * (a.marked + 1) <= a.marks.size() &&
                      a.marked < MARKS;
    for (int w = 0; w < words; ++w) {
        Word above = 0, below = 0;
        const int end = std::min({d.places, d.top, 64 * (w + 1)});
        for (int r = 64 * w; r < end; r += Lanes::width) {
            Lanes x = load(values + r);
            if constexpr (away) x = x + fill(step) * load(column + r);
            above |= static_cast<Word>(bits(high < x)) << (r & 63);
            below |= static_cast<Word>(bits(x < low)) << (r & 63);
        }
        above &= a.free[w];
        below &= a.free[w];
        a.above[w] |= above;
        a.below[w] |= below;
        seen |= above | below;
        if (room) {
            mark[2 * w] = above;
            mark[2 * w + 1] = below;
        }
    }
    if (room && seen != 0) ++a.marked;
}

// Write the rows of units (or of the domain) and of the constraints that were there into a fresh
// dictionary.  `count` new ones: st.entering are their places among the forms, `first` the variable
// of the form at place 0; all of them are free.
void bring_in(State& st, Node& a, const Forms& forms, int count, Index first) {
    const int n = st.n;
    for (Word& word : a.free) word = 0;
    for (Word& word : a.above) word = 0;
    for (Word& word : a.below) word = 0;
    a.marked = 0;
    a.rows.places = 0;
    if (count == 0) return;
    a.rows.close_gaps();
    const Dictionary& old = a.rows;
    Dictionary& d = st.room;
    const int places = Dictionary::in_registers(count);
    d.n = n;
    d.reserve(places + old.top);
    d.places = count;
    std::memcpy(d.colvar.data(), old.colvar.data(), sizeof(std::int32_t) * n);
    std::memcpy(d.flip.data(), old.flip.data(), static_cast<std::size_t>(n));
    for (int p = 0; p < places; ++p) {
        d.lower[p] = -INFINITE;
        d.upper[p] = INFINITE;
        d.rowvar[p] = p < count ? static_cast<std::int32_t>(first + st.entering[p]) : -1;
    }
    old.copy_rows(d.lower.data() + places, old.lower.data());
    old.copy_rows(d.upper.data() + places, old.upper.data());
    std::memcpy(d.rowvar.data() + places, old.rowvar.data(), sizeof(std::int32_t) * old.top);
    // What the new rows are in terms of coordinates as the dictionary counts them, and their scale.
    double *constants = st.gathered[n], *scales = st.gathered[n + 1];
    for (int p = 0; p < places; ++p) {
        constants[p] = p < count ? forms.at(n, st.entering[p]) : 0.0;
        scales[p] = p < count ? st.scale[static_cast<Index>(d.rowvar[p]) - n] : 0.0;
    }
    for (int j = 0; j < n; ++j) {
        const double* from = forms.row(j);
        double* to = st.gathered[j];
        const double side = d.flip[j] ? -1.0 : 1.0;
        for (int p = 0; p < count; ++p) to[p] = side * from[st.entering[p]];
        for (int p = count; p < places; ++p) to[p] = 0.0;
        if (d.flip[j]) add_multiple(constants, -1.0, to, places);
    }
    int basic = 0;
    for (int r = 0; r < old.top; ++r)
        if (old.is_coordinate(r)) st.basic[basic++] = r;
    // Nonbasic coordinates stand for themselves, the others for their rows.
    for (int c = 0; c <= n; ++c) {
        double* to = d.column(c);
        const double* from = old.column(c);
        old.copy_rows(to + places, from);
        const double* own = c == n              ? constants
                            : d.colvar[c] < n ? st.gathered[d.colvar[c]]
                                              : nullptr;
        for (int p = 0; p < places; p += Lanes::width) {
            Lanes sum = own != nullptr ? load(own + p) : fill(0.0);
            for (int i = 0; i < basic; ++i) {
                const int r = st.basic[i];
                sum = sum + fill(from[r]) * load(st.gathered[old.rowvar[r]] + p);
            }
            store(to + p, sum * load(scales + p));
        }
    }
    std::swap(a.rows, d);
    for (int p = 0; p < count; ++p) a.free[p >> 6] |= bit_of(p);
}

// Of every form: the float sum of its absolute entries.
void take_sizes(State& st, const Forms& forms, Index first) {
    double* sizes = st.low.data();
    for (Index u = 0; u < forms.width; u += Lanes::width) {
        Lanes size = fill(0.0);
        for (int c = 0; c <= st.n; ++c) size = size + absolute(load(forms.row(c) + u));
        store(sizes + u, size);
    }
    std::memcpy(st.size.data() + first, sizes, sizeof(double) * forms.width);
}

// Take the coefficients of form i as row k of the search; its size is there already, and so are
// the ranges of all forms.
void take_form(State& st, const Forms& forms, Index i, Index k) {
    double* row = st.row[k];
    for (int c = 0; c <= st.n; ++c) row[c] = forms.at(c, i);
    st.error[k] = forms.at(st.n + 1, i);
    const double scale = st.size[k] > 0.0 ? 1.0 / std::max(st.size[k], 1e-300) : 1.0;
    st.scale[k] = scale;
    st.above[k] = st.high[i] * scale;
    st.below[k] = -st.low[i] * scale;
}

// Add factor times form i, of the layer of node a, to the forms of the next layer: what add_unit
// of forms.hpp does, with its bound, over whole registers.
void pass_on(State& st, Node& a, const Forms& forms, Index i, double factor) {
    const Net& net = st.net;
    const Index layer = a.layer + 1;
    const double own = forms.at(st.n + 1, i), size = st.size[st.cuts + net.starts[a.layer] + i];
    if (factor == 0.0 || size + own == 0.0) return;
    const double* weight = st.weights[static_cast<std::size_t>(layer)][i];
    const int wide = padded(net.widths[layer]);
    const double error = std::abs(factor) * (own + gamma(net.terms[layer] + 4) * (size + own) + TINY);
    for (int c = 0; c <= st.n; ++c) {
        const double f = factor * forms.at(c, i);
        if (f != 0.0) add_multiple(a.partial[c], f, weight, wide);
    }
    double* errors = a.partial[st.n + 1];
    const Lanes by = fill(error);
    for (int k = 0; k < wide; k += Lanes::width)
        store(errors + k, load(errors + k) + absolute(load(weight + k)) * by);
}

}  // namespace

void settle(State& st, Node& a, Index u, int sign) {
    const Net& net = st.net;
    a.sign[u] = static_cast<std::int8_t>(sign);
    const Index layer = a.layer;
    const Index i = u - net.starts[layer];
    if (sign == 1) a.active[st.cut_begin[layer] + (i >> 6)] |= bit_of(i);
    if (sign == -1) a.inactive[st.cut_begin[layer] + (i >> 6)] |= bit_of(i);
    if (layer + 1 < net.layers && (sign > 0 || st.passes[u]))
        pass_on(st, a, st.forms_of(layer), i, sign > 0 ? 1.0 : net.slopes[u]);
}

void make_step(State& st, Node& a, int c, const Step& step) {
    ++st.counters.pivots;
    move(a.rows, c, step.block, st.factor.data());
    note_signs(a);
}

void note_neighbour(Node& a, int c, double step) {
    note_signs<true>(a, a.rows.column(c), step);
}

int push_to(State& st, Node& a, int r, int sign, double goal) {
    Dictionary& d = a.rows;
    st.steps.forget();
    for (int iteration = 0; iteration < GIVE_UP; ++iteration) {
        take_costs(st.costs, d, r, sign);
        const double missing = goal - st.costs.top;
        if (missing < 0.0) return 1;
        const int c =
            best_column(d, st.costs, st.steps, FAR, iteration, [](int) { return true; });
        if (c < 0) return 0;
        const Step step = st.steps.whole(d, c);
        if (step.length >= FAR) return -1;
        make_step(st, a, c, step);
        st.steps.forget();
    }
    return -1;
}

void constrain(Node& a, int r, int sign) {
    if (sign < 0) a.rows.negate(r);
    a.rows.lower[r] = 0.0;
    a.free[r >> 6] &= ~bit_of(r);
}

void remove_row(Node& a, int r) {
    a.rows.drop(r);
    a.free[r >> 6] &= ~bit_of(r);
}

void keep_marks(const Node& d, Node& e, int place, int sign) {
    const int words = static_cast<int>(words_for(d.rows.places));
    const int which = 2 * (place >> 6) + (sign > 0 ? 0 : 1);
    int kept = 0;
    for (int k = 0; k < d.marked; ++k) {
        const Word* from = d.marks.data() + static_cast<std::size_t>(2 * words) * k;
        if ((from[which] & bit_of(place)) == 0) continue;
        Word* to = e.marks.data() + static_cast<std::size_t>(2 * words) * kept;
        for (int w = 0; w < 2 * words; ++w) to[w] = from[w];
        ++kept;
    }
    e.marked = kept;
}

void look_again(Node& a) {
    const int words = static_cast<int>(words_for(a.rows.places));
    for (int w = 0; w < words; ++w) {
        Word above = 0, below = 0;
        for (int k = 0; k < a.marked; ++k) {
            const Word* mark = a.marks.data() + static_cast<std::size_t>(2 * words) * k + 2 * w;
            above |= mark[0];
            below |= mark[1];
        }
        a.above[w] = above & a.free[w];
        a.below[w] = below & a.free[w];
    }
    note_signs(a);
}

void copy_node(State& st, Index d) {
    st.reach_slot(d + 1);
    const Node& a = st.node(d);
    Node& b = st.node(d + 1);
    b.rows.copy_from(a.rows);
    const int words = static_cast<int>(words_for(a.rows.places));
    std::memcpy(b.free.data(), a.free.data(), sizeof(Word) * words);
    // Later layers may have signs as well: those of units that have one from the start.
    std::memcpy(b.sign.data(), a.sign.data(), a.sign.size());
    std::memcpy(b.active.data(), a.active.data(), sizeof(Word) * a.active.size());
    std::memcpy(b.inactive.data(), a.inactive.data(), sizeof(Word) * a.inactive.size());
    b.layer = a.layer;
    if (a.layer + 1 < st.net.layers) {
        const std::size_t wide = Matrix<double>::padded(st.net.widths[a.layer + 1]);
        for (int c = 0; c < st.n + 2; ++c)
            std::memcpy(b.partial[c], a.partial[c], sizeof(double) * wide);
    }
}

int free_rows(const Node& a) {
    const int words = static_cast<int>(words_for(a.rows.places));
    int count = 0;
    for (int w = 0; w < words; ++w) count += count_bits(a.free[w]);
    return count;
}

bool start(State& st, const std::int8_t* signs, double share) {
    const Net& net = st.net;
    st.reach_slot(0);
    Node& a = st.node(0);
    std::memcpy(a.sign.data(), signs, static_cast<std::size_t>(net.units));
    for (Word& word : a.active) word = 0;
    for (Word& word : a.inactive) word = 0;
    a.share = share;
    a.layer = 0;
    a.stage = Stage::ENTER;
    st.slot = 0;
    st.verdict = Verdict::OPEN;
    Dictionary& d = a.rows;
    d.top = 0;
    d.places = 0;
    for (int j = 0; j < st.n; ++j) {
        d.colvar[j] = j;
        d.flip[j] = 0;
    }
    const Forms domain = net.domain_forms();
    take_sizes(st, domain, 0);
    ranges(domain, st.low.data(), st.high.data());
    for (Index k = 0; k < st.cuts; ++k) take_form(st, domain, k, k);
    for (Index k = 0; k < st.cuts; ++k) st.entering[k] = static_cast<std::int32_t>(k);
    bring_in(st, a, domain, static_cast<int>(st.cuts), st.n);
    for (int r = 0; r < static_cast<int>(st.cuts); ++r) {
        if (push_to(st, a, r, 1) != 1) return false;
        constrain(a, r, 1);
    }
    return true;
}

bool enter(State& st, Index slot) {
    Node& a = st.node(slot);
    const Net& net = st.net;
    const Index layer = a.layer, width = net.widths[layer], begin = net.starts[layer];
    const Forms forms = st.forms_of(layer);
    {
        const Matrix<double>& source = layer == 0 ? net.first : a.partial;
        for (int c = 0; c < st.n + 2; ++c)
            std::memcpy(forms.row(c), source[c], sizeof(double) * width);
    }
    take_sizes(st, forms, st.row_of_unit(begin));
    if (layer + 1 < net.layers) {
        const Forms next = view_of(a.partial, st.n, net.widths[layer + 1]);
        start_next(next, net.biases.data() + net.starts[layer + 1], net.one.data(),
                   net.terms[layer + 1]);
        add_skips(net, next, [&](Index s) { return st.forms_of(s); }, a.sign.data(), layer + 1);
    }
    ranges(forms, st.low.data(), st.high.data());
    int count = 0;
    for (Index i = 0; i < width; ++i) {
        const Index u = begin + i;
        const int preset = a.sign[u];
        if (preset == 2 || preset == -2) {
            settle(st, a, u, preset);
        } else if (preset == 0 && st.high[i] <= 0.0) {
            record_range(st, i, -1);
            settle(st, a, u, -2);
            ++st.counters.by_range;
        } else if (preset == 0 && (st.low[i] > 0.0 || (st.low[i] == 0.0 && !net.closed))) {
            record_range(st, i, 1);
            settle(st, a, u, 2);
            ++st.counters.by_range;
        } else {
            take_form(st, forms, i, st.row_of_unit(u));
            st.place_of[u] = count;
            st.entering[count++] = static_cast<std::int32_t>(i);
        }
    }
    bring_in(st, a, forms, count, st.var_of_unit(begin));
    for (int p = 0; p < count; ++p) {
        const Index u = begin + st.entering[p];
        const int preset = a.sign[u];
        if (preset == 0) continue;
        if (push_to(st, a, p, preset) != 1) return false;
        constrain(a, p, preset);
        settle(st, a, u, preset);
    }
    a.marked = 0;
    look_again(a);
    return true;
}

}  // namespace milpcount
