// The network's boundary: everything that a kernel later takes for granted is checked here.

#include "net.hpp"

#include "boundary.hpp"
#include "module.hpp"

namespace milpcount {

namespace {

void require(bool holds, const char* name, const char* what) {
    if (!holds) refuse(name, what);
}

void require_finite_rows(const Matrix<double>& numbers, const char* name) {
    for (std::size_t r = 0; r < numbers.rows(); ++r)
        require_finite({numbers[r], numbers.columns()}, name);
}

// Sizes and places of the stages, from their widths.
void lay_out(Net& net) {
    require(net.layers > 0, "widths", "there are no stages");
    const Index size = sizes_of(net.widths.span(), "widths", 0, net.units);
    require(static_cast<Index>(net.weights.size()) == size, "weights",
            "its length does not fit the widths");
    require(static_cast<Index>(net.biases.size()) == net.units, "biases",
            "its length does not fit the widths");
    net.starts = Buffer<Index>(static_cast<std::size_t>(net.layers));
    for (Index l = 0, before = 0; l < net.layers; before += net.widths[l++]) {
        net.starts[l] = before;
        net.widest = std::max(net.widest, net.widths[l]);
    }
    net.layer_of = Buffer<Index>(static_cast<std::size_t>(net.units));
    for (Index l = 0; l < net.layers; ++l)
        for (Index i = 0; i < net.widths[l]; ++i) net.layer_of[net.starts[l] + i] = l;
    net.offsets = Buffer<Index>(static_cast<std::size_t>(net.layers));
    for (Index l = 1; l + 1 < net.layers; ++l)
        net.offsets[l + 1] = net.offsets[l] + net.widths[l - 1] * net.widths[l];
}

void check_skips(const Net& net) {
    const Index count = static_cast<Index>(net.skip_source.size());
    require(net.skip_begin[0] == 0 && net.skip_begin[net.layers] == count, "skip_begin",
            "it does not start at 0 and end at the number of skips");
    for (Index l = 0; l < net.layers; ++l) {
        require(net.skip_begin[l] <= net.skip_begin[l + 1], "skip_begin", "it descends");
        for (Index k = net.skip_begin[l]; k < net.skip_begin[l + 1]; ++k) {
            require(net.skip_source[k] >= 0 && net.skip_source[k] < l, "skip_source",
                    "a stage reads one that does not come before it");
            const Index size = net.widths[net.skip_source[k]] * net.widths[l];
            require(net.skip_offset[k] >= 0 &&
                        net.skip_offset[k] <= static_cast<Index>(net.skip_weights.size()) - size,
                    "skip_offset", "weights of a skip are not all there");
        }
    }
}

Net make_net(Index n, nb::object widths, nb::object first, nb::object one, nb::object domain,
             nb::object weights, nb::object biases, nb::object slopes, nb::object terms,
             nb::object skip_begin, nb::object skip_source, nb::object skip_offset,
             nb::object skip_weights, bool closed, bool walls) {
    require(n >= 0 && n < (Index{1} << 20), "n", "not between 0 and 2^20");
    Net net;
    net.n = n;
    net.closed = closed;
    net.walls = walls;
    net.widths = copied(vector_input<Index>(widths, "widths").span());
    net.layers = static_cast<Index>(net.widths.size());
    net.weights = copied(vector_input<double>(weights, "weights").span());
    net.biases = copied(vector_input<double>(biases, "biases").span());
    lay_out(net);
    net.first = copied(matrix_input<double>(first, "first", n + 2, net.widths[0]));
    net.one = copied(vector_input<double>(one, "one", n + 1).span());
    net.domain = copied(matrix_input<double>(domain, "domain", n + 2, ANY));
    net.domain_rows = static_cast<Index>(net.domain.columns());
    net.slopes = copied(vector_input<double>(slopes, "slopes", net.units).span());
    net.terms = copied(vector_input<Index>(terms, "terms", net.layers).span());
    net.skip_begin = copied(vector_input<Index>(skip_begin, "skip_begin", net.layers + 1).span());
    net.skip_source = copied(vector_input<Index>(skip_source, "skip_source").span());
    net.skip_offset = copied(
        vector_input<Index>(skip_offset, "skip_offset", static_cast<Index>(net.skip_source.size()))
            .span());
    net.skip_weights = copied(vector_input<double>(skip_weights, "skip_weights").span());
    check_skips(net);
    for (Index l = 1; l < net.layers; ++l)
        require(net.terms[l] > 0 && net.terms[l] < (Index{1} << 20), "terms",
                "not between 1 and 2^20");
    require_finite_rows(net.first, "first");
    require_finite(net.one.span(), "one");
    require_finite_rows(net.domain, "domain");
    require_finite(net.weights.span(), "weights");
    require_finite(net.biases.span(), "biases");
    require_finite(net.slopes.span(), "slopes");
    require_finite(net.skip_weights.span(), "skip_weights");
    return net;
}

}  // namespace

void bind_net(nb::module_& m) {
    nb::class_<Net>(m, "Net")
        .def("__init__",
             [](Net* self, Index n, nb::object widths, nb::object first, nb::object one,
                nb::object domain, nb::object weights, nb::object biases, nb::object slopes,
                nb::object terms, nb::object skip_begin, nb::object skip_source,
                nb::object skip_offset, nb::object skip_weights, bool closed, bool walls) {
                 new (self) Net(make_net(n, widths, first, one, domain, weights, biases, slopes,
                                         terms, skip_begin, skip_source, skip_offset,
                                         skip_weights, closed, walls));
             },
             nb::kw_only(), nb::arg("n"), array_arg("widths"), array_arg("first"), array_arg("one"),
             array_arg("domain"), array_arg("weights"), array_arg("biases"), array_arg("slopes"),
             array_arg("terms"), array_arg("skip_begin"), array_arg("skip_source"),
             array_arg("skip_offset"), array_arg("skip_weights"), nb::arg("closed"), nb::arg("walls"))
        .def_ro("n", &Net::n)
        .def_ro("layers", &Net::layers)
        .def_ro("units", &Net::units)
        .def_ro("domain_rows", &Net::domain_rows);
}

}  // namespace milpcount
