// The boundary of the kernels for linear pieces: partitions, residues, rays.

#include <cmath>

#include "boundary.hpp"
#include "modular.hpp"
#include "module.hpp"
#include "partition.hpp"
#include "rays.hpp"

namespace milpcount {

namespace {

void require_element(const Partition& parts, Index a) {
    if (a < 0 || a >= parts.size()) refuse("element", "it is not in the partition");
}

// ---- Residues.

Buffer<Index> residues_of(nb::object numbers, const char* name, Index size, Index prime) {
    auto out = copied(vector_input<Index>(numbers, name, size).span());
    for (Index x : out)
        if (x < 0 || x >= prime) refuse(name, "a number is no residue");
    return out;
}

Residues make_residues(nb::object widths, nb::object first, nb::object weights, nb::object biases,
                       nb::object slopes, Index prime) {
    if (prime < 2 || prime >= (Index{1} << 30)) refuse("prime", "not between 2 and 2^30");
    Residues net;
    net.prime = prime;
    net.widths = copied(vector_input<Index>(widths, "widths").span());
    if (net.widths.size() == 0) refuse("widths", "there are no layers");
    Index units = 0;
    const Index size = sizes_of(net.widths.span(), "widths", 0, units);
    net.first = residues_of(first, "first", net.widths[0], prime);
    net.weights = residues_of(weights, "weights", size, prime);
    net.biases = residues_of(biases, "biases", units - net.widths[0], prime);
    net.slopes = residues_of(slopes, "slopes", units, prime);
    return net;
}

Vector<Index> fingerprints(const Residues& net, nb::object patterns, nb::object row,
                           Index constant) {
    const auto bits = matrix_input<std::uint8_t>(patterns, "bits", ANY, net.units());
    const auto mix = residues_of(row, "row", ANY, net.prime);
    if (static_cast<Index>(mix.size()) > net.units()) refuse("row", "it is too long");
    if (constant < 0 || constant >= net.prime) refuse("constant", "it is no residue");
    Buffer<Index> g(net.units()), h(net.units()), out(bits.shape(0));
    {
        nb::gil_scoped_release free;
        const Index last = net.units() - static_cast<Index>(mix.size());
        for (Index k = 0; k < bits.shape(0); ++k) {
            forward(net, net.first.data(), bits.data() + k * net.units(), g.data(), h.data());
            Index total = constant;
            for (std::size_t i = 0; i < mix.size(); ++i)
                total = (total + mix[i] * h[last + static_cast<Index>(i)]) % net.prime;
            out[k] = total;
        }
    }
    return vector_output<Index>({out.data(), out.size()});
}

Vector<std::uint8_t> coincident(const Residues& net, nb::object second, nb::object patterns,
                                nb::object constants, nb::object linears) {
    const Index units = net.units();
    const auto bits = matrix_input<std::uint8_t>(patterns, "bits", ANY, units);
    const auto other = residues_of(second, "second", net.widths[0], net.prime);
    const auto constant =
        matrix_input<std::uint8_t>(constants, "constant", bits.shape(0), units);
    const auto linear = vector_input<std::uint8_t>(linears, "linear", units);
    Buffer<Index> a(units), b(units), h(units);
    Buffer<std::uint8_t> out(bits.shape(0));
    {
        nb::gil_scoped_release free;
        for (Index k = 0; k < bits.shape(0); ++k) {
            const std::uint8_t* pattern = bits.data() + k * units;
            forward(net, net.first.data(), pattern, a.data(), h.data());
            forward(net, other.data(), pattern, b.data(), h.data());
            out[k] = coincide(net, a.data(), b.data(), constant.data() + k * units, linear.data());
        }
    }
    return vector_output<std::uint8_t>({out.data(), out.size()});
}

// ---- Rays.

Chain make_chain(nb::object widths, nb::object weights, nb::object biases, nb::object slopes,
                 nb::object lo, nb::object hi, nb::object matrix, nb::object right) {
    Chain chain;
    chain.lo = copied(vector_input<double>(lo, "lo").span());
    chain.hi = copied(vector_input<double>(hi, "hi", chain.inputs()).span());
    chain.widths = copied(vector_input<Index>(widths, "widths").span());
    Index units = 0;
    const Index size = sizes_of(chain.widths.span(), "widths", chain.inputs(), units);
    chain.weights = copied(vector_input<double>(weights, "weights", size).span());
    chain.biases = copied(vector_input<double>(biases, "biases", units).span());
    chain.slopes = copied(vector_input<double>(slopes, "slopes", units).span());
    chain.matrix = copied(matrix_input<double>(matrix, "matrix", ANY, chain.inputs()));
    chain.right = copied(
        vector_input<double>(right, "right", static_cast<Index>(chain.matrix.rows())).span());
    return chain;
}

Book make_book(const Chain& chain, nb::object bits, nb::object addresses, nb::object order,
               nb::object words, nb::object address_of) {
    Book book;
    book.bits = copied(matrix_input<std::uint8_t>(bits, "bits", ANY, chain.units()));
    const auto rows = static_cast<Index>(book.bits.rows());
    book.addresses = copied(vector_input<Word>(addresses, "addresses", rows).span());
    book.order = copied(vector_input<Index>(order, "order", rows).span());
    book.words = copied(vector_input<Word>(words, "words", chain.units()).span());
    book.address_of = copied(vector_input<Word>(address_of, "address_of", rows).span());
    for (Index row : book.order)
        if (row < 0 || row >= rows) refuse("order", "there is no such row");
    return book;
}

void require_row(const Rays& rays, Index row, bool of_class) {
    if (row < 0 || row >= rays.regions()) refuse("row", "there is no such region");
    if (of_class && !rays.in_class(row)) refuse("row", "the region is not of the present class");
}

}  // namespace

void bind_linear(nb::module_& m) {
    nb::class_<Partition>(m, "Partition")
        .def("__init__",
             [](Partition* self, Index n) {
                 if (n < 0 || n > (Index{1} << 40)) refuse("n", "not in 0 .. 2^40");
                 new (self) Partition(n);
             },
             nb::arg("n"))
        .def("unite",
             [](Partition& self, nb::object first, nb::object second) {
                 const auto a = vector_input<Index>(first, "a");
                 const auto b = vector_input<Index>(second, "b", a.shape(0));
                 for (Index k = 0; k < a.shape(0); ++k) {
                     require_element(self, a.data()[k]);
                     require_element(self, b.data()[k]);
                 }
                 Index merged = 0;
                 for (Index k = 0; k < a.shape(0); ++k)
                     merged += self.unite(a.data()[k], b.data()[k]);
                 return merged;
             },
             array_arg("a"), array_arg("b"))
        .def("find",
             [](Partition& self, Index a) {
                 require_element(self, a);
                 return self.find(a);
             },
             nb::arg("a"))
        .def("roots", [](Partition& self) {
            Buffer<Index> out(self.parent.size());
            for (Index k = 0; k < self.size(); ++k) out[k] = self.find(k);
            return vector_output<Index>({out.data(), out.size()});
        });
    nb::class_<Residues>(m, "Residues")
        .def("__init__",
             [](Residues* self, nb::object widths, nb::object first, nb::object weights,
                nb::object biases, nb::object slopes, Index prime) {
                 new (self) Residues(make_residues(widths, first, weights, biases, slopes, prime));
             },
             array_arg("widths"), array_arg("first"), array_arg("weights"), array_arg("biases"),
             array_arg("slopes"), nb::arg("prime"))
        .def("fingerprints", &fingerprints, array_arg("bits"), array_arg("row"),
             nb::arg("constant"))
        .def("coincident", &coincident, array_arg("second"), array_arg("bits"),
             array_arg("constant"), array_arg("linear"));
    nb::class_<Chain>(m, "Chain")
        .def("__init__",
             [](Chain* self, nb::object widths, nb::object weights, nb::object biases,
                nb::object slopes, nb::object lo, nb::object hi, nb::object matrix,
                nb::object right) {
                 new (self) Chain(make_chain(widths, weights, biases, slopes, lo, hi, matrix, right));
             },
             array_arg("widths"), array_arg("weights"), array_arg("biases"), array_arg("slopes"),
             array_arg("lo"), array_arg("hi"), array_arg("matrix"), array_arg("right"))
        .def("proves",
             [](const Chain& self, nb::object bits, nb::object dependent, Index u, nb::object x) {
                 const auto pattern = vector_input<std::uint8_t>(bits, "bits", self.units());
                 const auto depends =
                     vector_input<std::uint8_t>(dependent, "dependent", self.units());
                 const auto point = vector_input<double>(x, "x", self.inputs());
                 if (u < 0 || u >= self.units()) refuse("u", "there is no such unit");
                 Pass pass(self);
                 return proves(self, pattern.data(), depends.data(), u, point.data(), pass);
             },
             array_arg("bits"), array_arg("dependent"), nb::arg("u"), array_arg("x"));
    nb::class_<Rays>(m, "Rays")
        .def("__init__",
             [](Rays* self, const Chain& chain, nb::object directions, nb::object bits,
                nb::object addresses, nb::object order, nb::object words, nb::object address_of,
                nb::object dependent, nb::object map_of) {
                 Book book = make_book(chain, bits, addresses, order, words, address_of);
                 const auto rows = static_cast<Index>(book.bits.rows());
                 auto lines = copied(
                     matrix_input<double>(directions, "directions", ANY, chain.inputs()));
                 if (lines.rows() == 0) refuse("directions", "there are none");
                 auto depends = copied(
                     matrix_input<std::uint8_t>(dependent, "dependent", rows, chain.units()));
                 auto maps = copied(vector_input<Index>(map_of, "map_of", rows).span());
                 new (self) Rays(chain, std::move(lines), std::move(book), std::move(depends),
                                 std::move(maps));
             },
             nb::arg("chain"), array_arg("directions"), array_arg("bits"), array_arg("addresses"),
             array_arg("order"), array_arg("words"), array_arg("address_of"),
             array_arg("dependent"), array_arg("map_of"))
        .def("begin",
             [](Rays& self, nb::object rows) {
                 const auto in = vector_input<Index>(rows, "rows");
                 for (Index row : in.span()) require_row(self, row, false);
                 self.begin(in.span());
             },
             array_arg("rows"))
        .def("seed",
             [](Rays& self, Index row, nb::object point) {
                 require_row(self, row, true);
                 self.seed(row, vector_input<double>(point, "point", self.chain().inputs()).data());
             },
             nb::arg("row"), array_arg("point"))
        .def("visited",
             [](const Rays& self, Index row) {
                 require_row(self, row, false);
                 return self.visited(row);
             },
             nb::arg("row"))
        .def("run",
             [](Rays& self, Partition& parts, Index steps, Index lines) {
                 if (parts.size() != self.regions()) refuse("parts", "they are of another list");
                 if (lines < 0 || lines > (Index{1} << 20)) refuse("lines", "not in 0 .. 2^20");
                 nb::gil_scoped_release free;
                 return self.run(parts, steps, lines);
             },
             nb::arg("parts"), nb::arg("steps"), nb::arg("lines"))
        .def_prop_ro("idle", &Rays::idle);
}

}  // namespace milpcount
