// Small files of /proc.
#pragma once

#include <string>

namespace multiprocess {

// Reads a file as a whole. Returns 0 or a negated errno.
int readProcFile(const char* path, std::string* out);

}  // namespace multiprocess
