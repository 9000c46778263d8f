// The boundary of what the sampling methods keep beside a tree search.

#include <cmath>

#include "boundary.hpp"
#include "module.hpp"
#include "parity.hpp"
#include "sample.hpp"

namespace milpcount {

namespace {

Sample make_sample(nb::object class_of, Index classes, Index units) {
    const auto table = matrix_input<Index>(class_of, "class_of", ANY, ANY);
    if (classes < 2 || classes > (Index{1} << 30)) refuse("classes", "not in 2 .. 2^30");
    if (units < 0 || units > (Index{1} << 40)) refuse("units", "not in 0 .. 2^40");
    for (Index c : table.span())
        if (c < 0 || c >= classes) refuse("class_of", "there is no such class");
    return Sample(copied(table), classes, table.shape(0), units);
}

void begin(Sample& self, Word seed, nb::object targets, nb::object points, double weight) {
    const auto classes = static_cast<Index>(self.target.size());
    const auto target = vector_input<double>(targets, "targets", classes);
    const auto point = vector_input<double>(points, "points", classes);
    self.begin(seed, target.data(), point.data(), weight);
}

// log2 of the weights that entered each layer, and of the regions, in all.
Vector<double> log2_sums(const Sample& self) {
    Buffer<double> out(self.sums.size());
    for (std::size_t k = 0; k < out.size(); ++k)
        out[k] = self.sums[k] > 0.0 ? std::log2(self.sums[k]) + self.exponents[k] : -INFINITE;
    return vector_output<double>({out.data(), out.size()});
}

// How often a path led from a class to another since the last call.
Table<Index> take_steps(Sample& self) {
    auto out = table_output<Index>(self.steps[0], self.steps.rows(), self.steps.columns(),
                                   self.steps.stride());
    self.steps = Matrix<Index>(self.steps.rows(), self.steps.columns());
    return out;
}

Parity make_parity(nb::object sets, nb::object odd) {
    const auto members = matrix_input<Word>(sets, "sets", ANY, ANY);
    const auto right = vector_input<std::uint8_t>(odd, "odd", members.shape(0));
    for (std::uint8_t x : right.span())
        if (x > 1) refuse("odd", "an entry is neither 0 nor 1");
    return Parity(copied(members), copied(right.span()));
}

}  // namespace

void bind_sampling(nb::module_& m) {
    nb::class_<Sample>(m, "Sample")
        .def("__init__",
             [](Sample* self, nb::object class_of, Index classes, Index units) {
                 new (self) Sample(make_sample(class_of, classes, units));
             },
             array_arg("class_of"), nb::arg("classes"), nb::arg("units"))
        .def("begin", &begin, nb::arg("seed"), array_arg("targets"), array_arg("points"),
             nb::arg("weight"))
        .def("keeps",
             [](Sample& self, Index c, double p) {
                 if (c < 0 || c >= static_cast<Index>(self.target.size()))
                     refuse("c", "there is no such class");
                 return self.keeps(c, p);
             },
             nb::arg("c"), nb::arg("p"))
        .def("weight",
             [](const Sample& self, Index slot) {
                 if (slot < 0 || slot >= static_cast<Index>(self.weight.size()))
                     refuse("slot", "there is no such slot");
                 return self.weight[static_cast<std::size_t>(slot)];
             },
             nb::arg("slot"))
        .def("log2_sums", &log2_sums)
        .def("take_steps", &take_steps)
        .def("signs",
             [](const Sample& self) {
                 return vector_output<Index>({self.signs.data(), self.signs.size()});
             })
        .def_prop_ro("thinned", [](const Sample& self) { return self.thinned; })
        .def_prop_ro("leaves_kept", [](const Sample& self) { return self.leaves_kept; });
    nb::class_<Parity>(m, "Parity")
        .def("__init__",
             [](Parity* self, nb::object sets, nb::object odd) {
                 new (self) Parity(make_parity(sets, odd));
             },
             array_arg("sets"), array_arg("odd"))
        .def_prop_ro("closed", [](const Parity& self) { return self.closed; })
        .def_prop_ro("decided", [](const Parity& self) { return self.decided; });
}

}  // namespace milpcount
