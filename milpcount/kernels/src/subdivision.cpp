#include "subdivision.hpp"

#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <map>
#include <string>

#include "boundary.hpp"
#include "clipping.hpp"
#include "complex.hpp"
#include "module.hpp"

namespace milpcount {

namespace {

Layout lay_out(const Net& net, bool whole) {
    Layout out;
    out.whole = whole;
    Index next = whole ? 1 : 0;  // the first pair is of the sides of the cube
    for (Index stage = -1; stage < net.layers; ++stage) {
        const Index words = words_for(stage < 0 ? net.domain_rows : net.widths[stage]);
        out.first.push_back(whole ? next : 0);
        out.words.push_back(words);
        out.widest_words = std::max(out.widest_words, words);
        next += words;
    }
    out.stride = whole ? next : out.widest_words;
    return out;
}

}  // namespace

Subdivision::Subdivision(std::shared_ptr<const Net> net, Index leaf_room, bool whole)
    : leaf_signs(static_cast<std::size_t>(leaf_room), static_cast<std::size_t>(net->units)),
      leaf_points(static_cast<std::size_t>(leaf_room), static_cast<std::size_t>(net->n)),
      keep_(std::move(net)),
      net_(*keep_),
      layout_(lay_out(net_, whole)) {}

namespace {

template <int N>
std::unique_ptr<Subdivision> make(std::shared_ptr<const Net> net, Index leaf_room, bool whole,
                                  std::optional<IntegerFrame> integers) {
    return std::make_unique<Clipping<N>>(std::move(net), leaf_room, whole, std::move(integers));
}

}  // namespace

std::unique_ptr<Subdivision> make_subdivision(std::shared_ptr<const Net> net, Index leaf_room,
                                              bool whole, std::optional<IntegerFrame> integers) {
    switch (net->n) {
        case 0: return make<0>(std::move(net), leaf_room, whole, std::move(integers));
        case 1: return make<1>(std::move(net), leaf_room, whole, std::move(integers));
        case 2: return make<2>(std::move(net), leaf_room, whole, std::move(integers));
        case 3: return make<3>(std::move(net), leaf_room, whole, std::move(integers));
        case 4: return make<4>(std::move(net), leaf_room, whole, std::move(integers));
        case 5: return make<5>(std::move(net), leaf_room, whole, std::move(integers));
        case 6: return make<6>(std::move(net), leaf_room, whole, std::move(integers));
        default:
            throw OverLimit("subdivision works in at most " + std::to_string(MAX_INPUTS) +
                            " dimensions, here are " + std::to_string(net->n) +
                            "; use engine tree");
    }
}

namespace {

// What Python holds.
class Machine {
  public:
    Machine(std::shared_ptr<const Net> net, Index leaf_room, bool collect, nb::object integers)
        : search_(make_subdivision(net, check_room(leaf_room), collect,
                                   take_integers(*net, integers))),
          collect_(collect) {}

    void start(nb::object signs, double share) {
        const auto in = vector_input<std::int8_t>(signs, "signs", search_->net().units);
        for (const std::int8_t s : in.span())
            if (s < -2 || s > 2) refuse("signs", "a sign is not between -2 and 2");
        AtWork work(at_work_);
        if (collect_) {
            complex_ = std::make_unique<Complex>(*search_, in.data());
            search_->sink = complex_.get();
        }
        search_->start(in.data(), share);
    }

    nb::dict complex(Wanted wanted);

    Stop run(std::int64_t steps, std::int64_t limit, bool emit, double seconds) {
        AtWork work(at_work_);
        nb::gil_scoped_release released;
        return search_->run(steps, limit, emit, seconds);
    }

    std::vector<std::tuple<Index, std::vector<Index>, std::vector<Index>>> open_signs() {
        require_units();
        std::vector<std::tuple<Index, std::vector<Index>, std::vector<Index>>> out;
        for (OpenVertex& v : search_->open_signs())
            out.emplace_back(v.vertex, std::move(v.rows), std::move(v.units));
        return out;
    }

    void place_vertex(Index vertex, nb::object at, double error) {
        require_units();
        const auto in = vector_input<double>(at, "at", search_->net().n);
        require_finite(in.span(), "at");
        if (!(error >= 0.0)) refuse("error", "a bound is negative, or none");
        search_->place_vertex(vertex, in.data(), error);
    }

    void sign_vertex(Index vertex, Index unit, int sign) {
        require_units();
        search_->sign_vertex(vertex, unit, sign);
    }

    Index stage() {
        require_node();
        return search_->slot(search_->top()).stage;
    }

    Vector<std::int8_t> signs(Index slot) {
        if (slot < 0 || slot > search_->top()) refuse("slot", "no node waits there");
        return vector_output<std::int8_t>(
            {search_->slot(slot).sign.data(), static_cast<std::size_t>(search_->net().units)});
    }

    Vector<double> shares() {
        std::vector<double> out;
        for (Index d = 0; d <= search_->top(); ++d) out.push_back(search_->slot(d).share);
        return vector_output<double>(std::span<const double>(out));
    }

    void drop() {
        require_node();
        search_->drop_top();
    }

    nb::tuple take_leaves() {
        const auto count = static_cast<std::size_t>(search_->leaves);
        search_->leaves = 0;
        const std::size_t units = search_->leaf_signs.columns();
        auto signs = table_output<std::int8_t>(search_->leaf_signs[0], count, units,
                                               search_->leaf_signs.stride());
        auto points = table_output<double>(search_->leaf_points[0], count,
                                           search_->leaf_points.columns(),
                                           search_->leaf_points.stride());
        return nb::make_tuple(signs, points);
    }

    // The leaf that was emitted last: signs, vertices, rows of its facets, and who lies where.
    nb::tuple last_cell() {
        if (!search_->has_last_leaf()) throw BadArgument("no leaf was found yet");
        Cell& cell = search_->last_leaf();
        const auto count = static_cast<std::size_t>(cell.corners);
        const auto n = static_cast<std::size_t>(search_->net().n);
        std::vector<Index> rows;
        std::vector<int> places;
        for_each_bit(cell.used, [&](int f) {
            rows.push_back(cell.rows[f]);
            places.push_back(f);
        });
        std::vector<std::uint8_t> on(count * places.size());
        for (std::size_t v = 0; v < count; ++v)
            for (std::size_t k = 0; k < places.size(); ++k)
                on[v * places.size() + k] = (cell.facets[v] >> places[k]) & 1U;
        return nb::make_tuple(
            vector_output<std::int8_t>(
                {cell.sign.data(), static_cast<std::size_t>(search_->net().units)}),
            table_output<double>(cell.at.data(), count, n, n),
            vector_output<Index>(std::span<const Index>(rows)),
            table_output<std::uint8_t>(on.data(), count, places.size(), places.size()));
    }

    std::int64_t regions() const { return search_->regions; }
    Index top() const { return search_->top(); }
    void stop() { search_->stop(); }

    std::map<std::string, std::int64_t> counters() const;

  private:
    static std::optional<IntegerFrame> take_integers(const Net& net, nb::handle given) {
        if (given.is_none()) return std::nullopt;
        nb::tuple parts;
        if (!nb::try_cast<nb::tuple>(given, parts, false) || parts.size() != 4)
            refuse("integers", "a tuple (first, one, domain, shift) is expected");
        const Index columns = net.n + 1;
        IntegerFrame out;
        out.first = copied(
            matrix_input<std::int64_t>(parts[0], "first", net.widths[0], columns).span());
        out.one = copied(vector_input<std::int64_t>(parts[1], "one", columns).span());
        out.domain = copied(
            matrix_input<std::int64_t>(parts[2], "domain", net.domain_rows, columns).span());
        if (!nb::try_cast<Index>(parts[3], out.shift, false) || out.shift < 0 ||
            out.shift > (Index{1} << 20))
            refuse("shift", "not an integer between 0 and 2^20");
        return out;
    }
    static Index check_room(Index leaf_room) {
        if (leaf_room < 1 || leaf_room > (Index{1} << 24)) refuse("leaf_room", "not in 1 .. 2^24");
        return leaf_room;
    }
    void require_node() {
        if (search_->top() < 0) throw BadArgument("no node waits to be searched");
    }

    // At a node whose units are being decided.
    void require_units() {
        require_node();
        const Cell& cell = search_->slot(search_->top());
        if (cell.phase == Phase::ENTER) throw BadArgument("no units were brought in at the node");
    }

    std::unique_ptr<Subdivision> search_;
    std::atomic<bool> at_work_{false};
    bool collect_;
    std::unique_ptr<Complex> complex_;
};

nb::dict arrays_of(const Faces& f) {
    nb::dict out;
    out["begin"] = vector_output<Index>(std::span<const Index>(f.begin));
    out["vertices"] = vector_output<Index>(std::span<const Index>(f.vertices));
    out["facet_begin"] = vector_output<Index>(std::span<const Index>(f.facet_begin));
    out["facets"] = vector_output<Index>(std::span<const Index>(f.facets));
    return out;
}

// The faces of the cells that were found so far; see native.pyi for the arrays.
nb::dict Machine::complex(Wanted wanted) {
    if (!complex_) throw BadArgument("the cells are collected only if that was asked for");
    Complex& c = *complex_;
    const Net& net = search_->net();
    const auto n = static_cast<std::size_t>(net.n), units = static_cast<std::size_t>(net.units);
    const auto count = static_cast<std::size_t>(c.vertices());
    const std::size_t each = 2 * n + static_cast<std::size_t>(net.domain_rows);
    auto* signs = new std::int8_t[count * units + 1];
    nb::capsule owner(signs, [](void* p) noexcept { delete[] static_cast<std::int8_t*>(p); });
    std::vector<std::uint8_t> sides(count * each);
    {
        nb::gil_scoped_release released;
        c.finish(wanted);
        std::int8_t* sign = signs;
        std::uint8_t* side = sides.data();
        for (Index v = 0; v < c.vertices(); ++v) {
            const Word* key = c.vertex_key(v);
            const auto sign_of = [&](Index pair, Index place) {
                const Word* words = key + 2 * (pair + (place >> 6));
                return static_cast<int>((words[0] >> (place & 63)) & 1U) -
                       static_cast<int>((words[1] >> (place & 63)) & 1U);
            };
            for (Index l = 0; l < net.layers; ++l)
                for (Index i = 0; i < net.widths[l]; ++i)
                    *sign++ = static_cast<std::int8_t>(
                        sign_of(c.layout.first[static_cast<std::size_t>(l + 1)], i));
            for (Index s = 0; s < 2 * net.n; ++s) *side++ = sign_of(0, s) == 0;
            for (Index r = 0; r < net.domain_rows; ++r) *side++ = sign_of(c.layout.first[0], r) == 0;
        }
    }
    const auto cells = static_cast<std::size_t>(c.cells());
    nb::dict out;
    out["vertices"] = table_output<double>(c.at.data(), count, n, n);
    out["errors"] = vector_output<double>(std::span<const double>(c.error));
    out["vertex_signs"] = Table<std::int8_t>(signs, {count, units}, owner);  // may be large
    out["vertex_sides"] = table_output<std::uint8_t>(sides.data(), count, each, each);
    out["cell_signs"] = table_output<std::int8_t>(c.cell_signs.data(), cells, units, units);
    out["facet_cells"] = table_output<Index>(c.facet_cells.data(), c.facet_cells.size() / 2, 2, 2);
    nb::list faces;
    for (const Faces& f : c.faces) faces.append(arrays_of(f));
    out["faces"] = faces;
    return out;
}

std::map<std::string, std::int64_t> Machine::counters() const {
    const Counters& c = search_->counters;
    return {{"nodes", c.nodes},
            {"vertices", c.vertices},
            {"decided_by_vertices", c.by_vertices},
            {"signs_left_open_by_floats", c.open_signs},
            {"signs_by_integers", c.by_integers},
            {"regions_by_sections", c.by_sections},
            {"cells_without_sections", c.section_failures}};
}

}  // namespace

void bind_subdivision(nb::module_& m) {
    nb::enum_<Wanted>(m, "Wanted")
        .value("FACETS", Wanted::FACETS)
        .value("ALL", Wanted::ALL)
        .value("EDGES", Wanted::EDGES);
    nb::class_<Machine>(m, "Subdivision")
        .def(nb::init<std::shared_ptr<const Net>, Index, bool, nb::object>(), nb::arg("net"),
             nb::kw_only(), nb::arg("leaf_room"), nb::arg("collect"), array_arg("integers"))
        .def("complex", &Machine::complex, nb::arg("wanted"))
        .def("start", &Machine::start, array_arg("signs"), nb::arg("share"))
        .def("run", &Machine::run, nb::arg("steps"), nb::arg("limit"), nb::arg("emit"),
             nb::arg("seconds"))
        .def("stop", &Machine::stop)
        .def("open_signs", &Machine::open_signs)
        .def("place_vertex", &Machine::place_vertex, nb::arg("vertex"), array_arg("at"),
             nb::arg("error"))
        .def("sign_vertex", &Machine::sign_vertex, nb::arg("vertex"), nb::arg("unit"),
             nb::arg("sign"))
        .def("signs", &Machine::signs, nb::arg("slot"))
        .def("shares", &Machine::shares)
        .def("drop", &Machine::drop)
        .def("take_leaves", &Machine::take_leaves)
        .def("last_cell", &Machine::last_cell)
        .def("counters", &Machine::counters)
        .def_prop_ro("stage", &Machine::stage)
        .def_prop_ro("regions", &Machine::regions)
        .def_prop_ro("top", &Machine::top);
}

}  // namespace milpcount
