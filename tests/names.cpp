#include <autograd/registry.hpp>

#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

// names: prints the page of the operations' names. names FILE: whether the file is that page.

namespace ag = autograd;

namespace
{

std::string cell(const char* name)
{
    return name == nullptr ? "" : "`" + std::string(name) + "`";
}

std::string page()
{
    std::vector<const ag::NameTable*> tables;
    for (const ag::NameTable* table = ag::name_tables(); table != nullptr; table = table->next())
    {
        tables.push_back(table);
    }
    std::sort(tables.begin(), tables.end(),
              [](const auto* a, const auto* b) { return std::string(a->family) < std::string(b->family); });
    std::ostringstream text;
    text << "# Names\n\n"
            "What each operation is called here, in xtensor and xtensor-blas, in NumPy and SciPy, and in PyTorch. The "
            "headers in this\nfolder say what each does. `build/tests/names` prints this page from the registry, and a "
            "test compares them.\n";
    for (const ag::NameTable* table : tables)
    {
        text << "\n## " << table->family << "\n\n| here | xtensor | NumPy | PyTorch |\n|---|---|---|---|\n";
        for (const ag::Names& names : table->names)
        {
            text << "| " << cell(names.ours) << " | " << cell(names.xtensor) << " | " << cell(names.numpy) << " | "
                 << cell(names.pytorch) << " |\n";
        }
    }
    return text.str();
}

}

int main(int argc, char** argv)
{
    if (argc == 1)
    {
        std::cout << page();
        return 0;
    }
    std::ifstream file(argv[1]);
    std::stringstream text;
    text << file.rdbuf();
    if (text.str() == page())
    {
        return 0;
    }
    std::cout << argv[1] << " is not what the registry says. Renew it: build/tests/names > autograd/ops/NAMES.md\n";
    return 1;
}
