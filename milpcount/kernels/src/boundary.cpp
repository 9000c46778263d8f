#include "boundary.hpp"

namespace milpcount {

void refuse(const char* name, const std::string& what) {
    throw BadArgument("kernel argument " + std::string(name) + ": " + what);
}

namespace {

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
        }
    });
}

}  // namespace milpcount
