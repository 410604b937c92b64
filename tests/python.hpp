#pragma once

#include <cstdio>
#include <string>

/// What Python prints for this script of the tests' folder, and its errors.
inline std::string python(const std::string& script, const std::string& arguments)
{
    const std::string command = std::string(PYTHON) + " '" TEST_FOLDER "/" + script + "' " + arguments + " 2>&1";
    std::string output;
    if (std::FILE* pipe = ::popen(command.c_str(), "r"))
    {
        char chunk[4096];
        for (std::size_t read = 0; (read = std::fread(chunk, 1, sizeof chunk, pipe)) > 0;)
        {
            output.append(chunk, read);
        }
        const int status = ::pclose(pipe);
        output += status == 0 ? "" : "exit status " + std::to_string(status);
    }
    return output;
}
