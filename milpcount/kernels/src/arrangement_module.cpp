// The boundary of the kernels for arrangements.

#include <nanobind/stl/pair.h>
#include <nanobind/stl/unique_ptr.h>

#include <atomic>
#include <utility>

#include "boundary.hpp"
#include "cone.hpp"
#include "deletion.hpp"
#include "module.hpp"

namespace milpcount {

namespace {

// Go on with a search; one thread at a time.
template <class Search>
void go_on(Search& search, Index work) {
    if (search.busy.exchange(true)) refuse("search", "another thread is at work on it");
    struct Free {
        std::atomic<bool>& busy;
        ~Free() { busy = false; }
    } free_at_end{search.busy};
    nb::gil_scoped_release free;
    search.advance(work);
}

// What is counted so far.
template <class Search>
std::pair<Word, Word> total_of(const Search& search) {
    if (search.busy) refuse("search", "another thread is at work on it");
    const Count total = search.total();
    return {total.high, total.low};
}

std::unique_ptr<Deletion> make_deletion(nb::object residues, nb::object primes, Index memory,
                                        bool generic) {
    const Input<Index, 3> in(residues, "residues");
    const auto p = vector_input<Index>(primes, "primes", in.shape(0));
    if (in.shape(0) < 1) refuse("primes", "there are none");
    if (in.shape(1) < 1 || in.shape(2) < 1) refuse("residues", "there are no vectors");
    if (in.shape(1) >= Index{1} << 31) refuse("residues", "there are too many vectors");
    if (memory < 0) refuse("memory", "it is negative");
    const Index size = in.shape(1) * in.shape(2);
    for (Index q = 0; q < in.shape(0); ++q) {
        const Index prime = p.data()[q];
        const bool small = in.shape(0) == 1 && prime > 1 && prime < (Index{1} << 15);
        const bool wide = prime > (Index{1} << 32) && prime < (Index{1} << 62) && prime % 2 == 1;
        if (!small && !wide) refuse("primes", "neither one below 2^15 nor all of 33 to 62 bits");
        for (Index e = 0; e < size; ++e)
            if (in.data()[q * size + e] < 0 || in.data()[q * size + e] >= prime)
                refuse("residues", "a number is no residue");
    }
    return Deletion::make(in.data(), in.shape(1), in.shape(2), p.span(),
                          static_cast<std::size_t>(memory), generic);
}

std::unique_ptr<Cone> make_cone(nb::object forms, nb::object sides, Index memory) {
    const auto in = matrix_input<Index>(forms, "forms", ANY, ANY);
    const auto rows = matrix_input<Index>(sides, "sides", ANY, in.shape(1));
    if (in.shape(1) < 1) refuse("forms", "they have no entries");
    if (memory < 0) refuse("memory", "it is negative");
    for (const auto& [some, name] : {std::make_pair(in.span(), "forms"),
                                     std::make_pair(rows.span(), "sides")})
        for (Index x : some)
            if (x <= -(Index{1} << 62) || x >= (Index{1} << 62))
                refuse(name, "a number has more than 62 bits");
    nb::gil_scoped_release free;
    return Cone::make(in.data(), in.shape(0), rows.data(), rows.shape(0), in.shape(1),
                      static_cast<std::size_t>(memory));
}

}  // namespace

void bind_arrangement(nb::module_& m) {
    m.def("make_deletion", &make_deletion, array_arg("residues"), array_arg("primes"),
          nb::arg("memory"), nb::arg("generic"));
    nb::class_<Deletion>(m, "Deletion")
        .def("advance", &go_on<Deletion>, nb::arg("work"))
        .def_prop_ro("total", &total_of<Deletion>)
        .def_prop_ro("done", &Deletion::done)
        .def_prop_ro("coincident", &Deletion::coincident)
        .def_prop_ro("unlucky", &Deletion::unlucky)
        .def("statistics", [](const Deletion& self) {
            const Deletion::Statistics s = self.statistics();
            nb::dict out;
            out["restrictions"] = s.restrictions;
            out["lookups"] = s.lookups;
            out["found"] = s.found;
            out["kept"] = s.kept;
            out["bytes"] = s.bytes;
            out["full"] = s.full;
            return out;
        });
    m.def("make_cone", &make_cone, array_arg("forms"), array_arg("sides"), nb::arg("memory"));
    nb::class_<Cone>(m, "Cone")
        .def("advance", &go_on<Cone>, nb::arg("work"))
        .def_prop_ro("total", &total_of<Cone>)
        .def_prop_ro("done", &Cone::done)
        .def_prop_ro("overflow", &Cone::overflow)
        .def("statistics", [](const Cone& self) {
            nb::dict out;
            out["sections"] = self.sections();
            out["found"] = self.found();
            out["bytes"] = self.bytes();
            out["full"] = self.full();
            return out;
        });
}

}  // namespace milpcount
