#include "boundary.hpp"

#include <cmath>
#include <new>

namespace milpcount {

void refuse(const char* name, const std::string& what) {
    throw BadArgument("kernel argument " + std::string(name) + ": " + what);
}

void require_finite(std::span<const double> numbers, const char* name) {
    for (const double x : numbers)
        if (!std::isfinite(x)) refuse(name, "a number is not finite");
}

Index sizes_of(std::span<const Index> widths, const char* name, Index inputs, Index& units) {
    constexpr Index MOST = Index{1} << 40;
    Index size = 0;
    units = 0;
    for (const Index width : widths) {
        if (width < 1) refuse(name, "a stage has no units");
        if (width > MOST || (inputs > 0 && width > MOST / inputs) || size > MOST)
            refuse(name, "a stage has too many units");
        units += width;
        size += inputs * width;
        inputs = width;
    }
    return size;
}

namespace {

constexpr const char* NO_MEMORY =
    "a kernel asked for more memory than there is; use fewer workers or engine tree-highs";

void raise(const char* kind, const char* message) {
    nb::object type = nb::module_::import_("milpcount.errors").attr(kind);
    PyErr_SetString(type.ptr(), message);
}

}  // namespace

void register_errors() {
    nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
        try {
            std::rethrow_exception(thrown);
        } catch (const BadArgument& error) {
            raise("InvariantError", error.what());
        } catch (const OverLimit& error) {
            raise("UnsupportedError", error.what());
        } catch (const std::bad_alloc&) {
            raise("UnsupportedError", NO_MEMORY);
        } catch (const std::length_error&) {
            raise("UnsupportedError", NO_MEMORY);
        }
    });
}

}  // namespace milpcount
