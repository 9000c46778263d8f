// What binds each part of the module; one function a kernel, defined beside it.

#pragma once

#include <nanobind/nanobind.h>

namespace milpcount {

void bind_net(nanobind::module_& m);
void bind_subdivision(nanobind::module_& m);
void bind_chains(nanobind::module_& m);
void bind_tree(nanobind::module_& m);
void bind_sampling(nanobind::module_& m);
void bind_linear(nanobind::module_& m);
void bind_arrangement(nanobind::module_& m);

}  // namespace milpcount
