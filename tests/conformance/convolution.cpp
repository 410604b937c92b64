#include "mapping.hpp"

using namespace autograd;

Family convolution_mappings()
{
    return {};
}
