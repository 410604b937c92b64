#include <autograd/autograd.hpp>

#include <doctest/doctest.h>

namespace ag = autograd;
