// The tree search's boundary.

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>

#include "boundary.hpp"
#include "module.hpp"
#include "parity.hpp"
#include "ranges.hpp"
#include "sample.hpp"
#include "tree.hpp"
#include "tree_search.hpp"

namespace milpcount {

namespace {

constexpr double NO_END = 1e300;  // seconds
constexpr Index MOST_LIMBS = 64;

// Until the policy has enough, or another thread says stop: before the run began, for all we know.
template <class Policy>
Stop run(TreeSearch& self, Policy& policy, Index steps, Halt& halt) {
    self.last = walk(self.state, policy, steps, halt);
    self.stopped = false;
    return self.last;
}

// A search goes on as it was begun, and a node that was handed out does not come back.
void require_kind(TreeSearch& self, Kind kind) {
    if (self.kind != Kind::NONE && self.kind != kind) refuse("search", "it was begun in another way");
    if (self.last == Stop::DOUBT_NODE) refuse("search", "the node in doubt was not dropped");
    self.kind = kind;
}

void require_doubt(const TreeSearch& self) {
    if (self.last != Stop::DOUBT_SIDE) refuse("doubt", "there is none");
}

// The node that waits in a slot, as a prefix of signs: on the side to come back for.
Vector<std::int8_t> open_node(TreeSearch& self, Index slot) {
    State& st = self.state;
    if (slot < 0 || slot >= static_cast<Index>(st.nodes.size())) refuse("slot", "there is no such slot");
    const Node& a = st.node(slot);
    Buffer<std::int8_t> signs(a.sign);
    if (a.stage == Stage::COME_BACK) {
        signs[a.unit] = static_cast<std::int8_t>(a.side);
    } else if (slot == st.slot && st.verdict != Verdict::OPEN) {
        // One side is done with: what is open is the other.
        const int other = st.verdict == Verdict::SETTLED ? -st.doubt_sign : -2 * st.doubt_sign;
        signs[st.doubt_unit] = static_cast<std::int8_t>(other);
    }
    return vector_output<std::int8_t>({signs.data(), signs.size()});
}

// Integers of any size: rows of n + 1, each in words of two's complement, the lowest first.
LongRows long_rows(nb::object object, const char* name, Index rows, Index n) {
    const Input<Word, 3> in(object, name);
    if (in.shape(0) != rows || in.shape(1) != n + 1) refuse(name, "its shape does not fit the net");
    if (in.shape(2) < 1 || in.shape(2) > MOST_LIMBS) refuse(name, "numbers of too many bits, or none");
    return {rows, n + 1, in.shape(2), copied(in.span())};
}

LongFrame long_frame(const Net& net, nb::object first, nb::object one, nb::object domain,
                     Index shift) {
    if (shift < 0 || shift > 64 * MOST_LIMBS) refuse("shift", "it is negative or too large");
    LongFrame frame{long_rows(first, "first", net.widths[0], net.n),
                    long_rows(one, "one", 1, net.n),
                    long_rows(domain, "domain", net.domain_rows, net.n), shift};
    // The common factor is the constant of this form.
    const Word* factor = frame.one.at(0, net.n);
    const bool positive = factor[frame.one.limbs - 1] >> 63 == 0 &&
                          std::any_of(factor, factor + frame.one.limbs, [](Word x) { return x != 0; });
    if (net.one[net.n] != 1.0 || !positive) refuse("one", "its constant is no positive factor");
    return frame;
}

nb::dict statistics(const TreeSearch& self) {
    const TreeCounters& c = self.state.counters;
    nb::dict out;
    out["pivots"] = c.pivots;
    out["nodes"] = c.nodes;
    out["decided_by_range"] = c.by_range;
    out["decided_by_multipliers"] = c.by_multipliers;
    out["decided_by_exact_multipliers"] = c.by_exact_multipliers;
    out["decided_by_point"] = c.by_point;
    out["regions_by_flats"] = c.by_flats;
    out["flats_with_a_witness"] = c.flats;
    out["cells_outside_the_zonotope"] = c.separated;
    out["rounds_of_the_zonotope_check"] = self.zono.rounds;
    return out;
}

// Rows of a cell and bounds on their errors, into the check of the zonotope; returns how many.
int take_cell(TreeSearch& self, nb::object rows, nb::object errors) {
    Zonotope& zono = self.zono;
    if (!zono.present()) refuse("rows", "the cube of this search is no relaxation");
    const auto in = matrix_input<double>(rows, "rows", ANY, zono.n + 1);
    const auto bounds = vector_input<double>(errors, "errors", in.shape(0));
    if (in.shape(0) > static_cast<Index>(zono.rows.rows())) refuse("rows", "too many");
    require_finite(in.span(), "rows");
    for (const double e : bounds.span())
        if (!(e >= 0.0)) refuse("errors", "a bound is negative, or none");
    int count = 0;
    for (Index r = 0; r < in.shape(0); ++r)
        count = zono.take_row(count, in.data() + r * (zono.n + 1), bounds.data()[r], 1.0, r);
    return count;
}

// What the check found, and the input that it came to.
std::pair<int, Vector<double>> with_input(TreeSearch& self, Found found) {
    const Zonotope& zono = self.zono;
    return {static_cast<int>(found),
            vector_output<double>({zono.u.data(), static_cast<std::size_t>(zono.many)})};
}

}  // namespace

void bind_tree(nb::module_& m) {
    m.def("cube_ranges",
          [](nb::object forms) {
              auto table = copied(matrix_input<double>(forms, "forms", ANY, ANY));
              if (table.rows() < 2) refuse("forms", "they have no constant or no bound");
              const auto width = static_cast<Index>(table.columns());
              Buffer<double> low(padded(width)), high(padded(width));
              ranges(view_of(table, static_cast<Index>(table.rows()) - 2, width), low.data(),
                     high.data());
              const auto count = static_cast<std::size_t>(width);
              return std::make_pair(vector_output<double>({low.data(), count}),
                                    vector_output<double>({high.data(), count}));
          },
          array_arg("forms"));
    m.def("residue_primes", [] {
        Buffer<Word> primes(MOST_PRIMES);
        for (int k = 0; k < MOST_PRIMES; ++k) primes[k] = residue_prime(k);
        return vector_output<Word>(primes.span());
    });
    nb::class_<TreeSearch>(m, "TreeSearch")
        .def("__init__",
             [](TreeSearch* self, const Net& net, nb::object generators, bool emit, bool record) {
                 if (generators.is_none()) {
                     new (self) TreeSearch(net, nullptr, emit, record);
                     return;
                 }
                 const auto matrix = copied(matrix_input<double>(generators, "generators", net.n, ANY));
                 for (std::size_t r = 0; r < matrix.rows(); ++r)
                     for (std::size_t c = 0; c < matrix.columns(); ++c)
                         if (!(std::abs(matrix[r][c]) <= 1.0))
                             refuse("generators", "an entry is not between -1 and 1");
                 new (self) TreeSearch(net, &matrix, emit, record);
             },
             nb::keep_alive<1, 2>(), nb::arg("net"), array_arg("generators"), nb::arg("emit"),
             nb::arg("record"))
        .def("start",
             [](TreeSearch& self, nb::object signs, double share) {
                 const auto in = vector_input<std::int8_t>(signs, "signs", self.state.net.units);
                 for (std::int8_t s : in.span())
                     if (s < -2 || s > 2) refuse("signs", "a sign is not between -2 and 2");
                 AtWork work(self.at_work);
                 nb::gil_scoped_release free;
                 self.kind = Kind::NONE;
                 const bool found = start(self.state, in.data(), share);
                 self.last = found ? Stop::STEPS : Stop::DOUBT_NODE;
                 return found;
             },
             array_arg("signs"), nb::arg("share"))
        .def("run",
             [](TreeSearch& self, Index steps, Index limit, double seconds) {
                 require_kind(self, Kind::ALL);
                 AtWork work(self.at_work);
                 nb::gil_scoped_release free;
                 Halt halt(seconds, self.stopped);
                 Everything policy(self.zono, self.flats, limit, halt);
                 return run(self, policy, steps, halt);
             },
             nb::arg("steps"), nb::arg("limit"), nb::arg("seconds"))
        .def("run_sample",
             [](TreeSearch& self, Sample& sample, Index steps, bool single) {
                 if (sample.class_of.rows() != static_cast<std::size_t>(self.state.net.layers) ||
                     sample.class_of.columns() <= static_cast<std::size_t>(self.state.net.widest) ||
                     sample.signs.size() != static_cast<std::size_t>(self.state.net.units + 1))
                     refuse("sample", "it belongs to another network");
                 require_kind(self, Kind::SAMPLE);
                 sample.reach_slot(self.state.slot);
                 AtWork work(self.at_work);
                 nb::gil_scoped_release free;
                 Randomly policy(self.zono, sample, single);
                 Halt halt(NO_END, self.stopped);
                 return run(self, policy, steps, halt);
             },
             nb::arg("sample"), nb::arg("steps"), nb::arg("single"))
        .def("run_parity",
             [](TreeSearch& self, Parity& parity, Index steps, Index limit) {
                 if (parity.words != words_for(self.state.net.units))
                     refuse("parity", "it belongs to another network");
                 require_kind(self, Kind::PARITY);
                 AtWork work(self.at_work);
                 nb::gil_scoped_release free;
                 Constrained policy(self.zono, parity, limit);
                 Halt halt(NO_END, self.stopped);
                 return run(self, policy, steps, halt);
             },
             nb::arg("parity"), nb::arg("steps"), nb::arg("limit"))
        .def("stop", [](TreeSearch& self) { self.stopped = true; })
        .def("answer",
             [](TreeSearch& self, int verdict) {
                 if (verdict < 0 || verdict > 2) refuse("verdict", "there is no such verdict");
                 require_doubt(self);
                 self.state.verdict = static_cast<Verdict>(verdict);
             },
             nb::arg("verdict"))
        .def("doubt",
             [](TreeSearch& self) {
                 State& st = self.state;
                 require_doubt(self);
                 Buffer<std::int8_t> signs(st.node(st.slot).sign);
                 signs[st.doubt_unit] = static_cast<std::int8_t>(st.doubt_sign);
                 return vector_output<std::int8_t>({signs.data(), signs.size()});
             })
        .def("prove_exactly",
             [](TreeSearch& self, nb::object first, nb::object one, nb::object domain, Index shift,
                bool spans) {
                 const Net& net = self.state.net;
                 LongFrame frame = long_frame(net, first, one, domain, shift);
                 AtWork work(self.at_work);
                 self.state.exact = std::make_unique<ExactSide>(net, std::move(frame), spans);
             },
             array_arg("first"), array_arg("one"), array_arg("domain"), nb::arg("shift"),
             nb::arg("spans"))
        .def("open_node", &open_node, nb::arg("slot"))
        .def("share",
             [](TreeSearch& self, Index slot) {
                 if (slot < 0 || slot > self.state.slot) refuse("slot", "there is no such slot");
                 return self.state.node(slot).share;
             },
             nb::arg("slot"))
        .def("drop_node",
             [](TreeSearch& self) {
                 if (self.state.slot < 0) refuse("slot", "there is no node left");
                 --self.state.slot;
                 self.state.verdict = Verdict::OPEN;
                 self.last = Stop::STEPS;
             })
        .def("take_steps",
             [](TreeSearch& self) {
                 State& st = self.state;
                 nb::bytes out(reinterpret_cast<const char*>(st.tape.data()),
                               static_cast<std::size_t>(st.written));
                 st.written = 0;
                 return out;
             })
        .def("take_leaves",
             [](TreeSearch& self) {
                 State& st = self.state;
                 const auto count = static_cast<std::size_t>(st.leaves);
                 st.leaves = 0;
                 return std::make_pair(
                     table_output<std::int8_t>(st.leaf_signs[0], count, st.leaf_signs.columns(),
                                               st.leaf_signs.stride()),
                     table_output<double>(st.leaf_points[0], count, st.leaf_points.columns(),
                                          st.leaf_points.stride()));
             })
        .def("forms",
             [](TreeSearch& self, Index layer) {
                 State& st = self.state;
                 if (layer < 0 || layer >= st.net.layers) refuse("layer", "there is no such layer");
                 const Forms forms = st.forms_of(layer);
                 return table_output<double>(forms.data, static_cast<std::size_t>(st.n + 2),
                                             static_cast<std::size_t>(forms.width),
                                             static_cast<std::size_t>(forms.stride));
             },
             nb::arg("layer"))
        .def("check_cell",
             [](TreeSearch& self, nb::object rows, nb::object errors) {
                 const int count = take_cell(self, rows, errors);
                 return with_input(self, self.zono.confirm(count));
             },
             array_arg("rows"), array_arg("errors"))
        .def("check_face",
             [](TreeSearch& self, nb::object rows, nb::object errors, nb::object steps) {
                 const int count = take_cell(self, rows, errors);
                 Zonotope& zono = self.zono;
                 const auto in = matrix_input<double>(steps, "steps", ANY, zono.n);
                 const Index k = in.shape(0);
                 if (k > count || k > zono.n) refuse("steps", "too many");
                 if (!zono.onto()) refuse("steps", "the generators are nearly dependent");
                 require_finite(in.span(), "steps");
                 for (Index i = 0; i < k; ++i)
                     std::copy_n(in.data() + i * zono.n, zono.n, zono.steps[i]);
                 return with_input(self, zono.meet(count, static_cast<int>(k)));
             },
             array_arg("rows"), array_arg("errors"), array_arg("steps"))
        .def("statistics", &statistics)
        .def_prop_ro("slot", [](const TreeSearch& self) { return self.state.slot; })
        .def_prop_ro("regions", [](const TreeSearch& self) { return self.state.regions; })
        .def_prop_ro("nodes", [](const TreeSearch& self) { return self.state.counters.nodes; })
        .def_prop_ro("doubt_unit", [](const TreeSearch& self) { return self.state.doubt_unit; })
        .def_prop_ro("doubt_sign", [](const TreeSearch& self) { return self.state.doubt_sign; });
}

}  // namespace milpcount
