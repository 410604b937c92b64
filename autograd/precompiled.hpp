// What most sources need, compiled once for all of them where -Db_pch=true.
#include <autograd/autograd.hpp>
