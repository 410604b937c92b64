#include "mapping.hpp"

using namespace autograd;

Family index_mappings()
{
    return {};
}
