// The extension: compiled once for every kind of processor, under a name of its own.

#include "module.hpp"

#include "boundary.hpp"
#include "codes.hpp"

using namespace milpcount;

// NB_MODULE pastes its argument: the macro that holds the name is expanded first.
#define MILPCOUNT_NAMED(name, m) NB_MODULE(name, m)

MILPCOUNT_NAMED(MILPCOUNT_MODULE, m) {
    register_errors();
    nb::enum_<Stop>(m, "Stop", nb::is_arithmetic())
        .value("STEPS", Stop::STEPS)
        .value("DONE", Stop::DONE)
        .value("DOUBT_SIDE", Stop::DOUBT_SIDE)
        .value("DOUBT_NODE", Stop::DOUBT_NODE)
        .value("FULL", Stop::FULL)
        .value("GROW", Stop::GROW)
        .value("DOUBT_SIGNS", Stop::DOUBT_SIGNS);
    nb::enum_<Verdict>(m, "Verdict", nb::is_arithmetic())
        .value("OPEN", Verdict::OPEN)
        .value("EMPTY", Verdict::EMPTY)
        .value("SETTLED", Verdict::SETTLED);
    bind_net(m);
    bind_subdivision(m);
    bind_chains(m);
    bind_sampling(m);
    bind_linear(m);
    bind_tree(m);
    bind_arrangement(m);
}
