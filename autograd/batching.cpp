#include <autograd/batching.hpp>

namespace autograd::detail
{

constinit const BatchingRule* BatchingRule::first_ = nullptr;

BatchingRule::BatchingRule(const Operation& operation, Execute execute)
    : execute(execute), operation_(operation), next_(first_)
{
    first_ = this;
}

const BatchingRule* BatchingRule::find(const Operation& operation) noexcept
{
    const BatchingRule* rule = first_;
    while (rule != nullptr && &rule->operation_ != &operation)
    {
        rule = rule->next_;
    }
    return rule;
}

}
