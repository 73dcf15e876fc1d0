// Which instruction sets this processor has.
#include <cstring>

#include "kernels.h"

namespace striate {
namespace {

struct Choice {
  const char* name;
  const Kernels* kernels;
  bool (*present)();
};

const Choice kChoices[] = {
#if defined(__x86_64__)
    {"avx512", &avx512::kernels,
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("fma");
     }},
    {"avx2", &avx2::kernels,
     [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }},
#endif
    {"baseline", &baseline::kernels, [] { return true; }},
};

}  // namespace

const Kernels* choose(const char* name, const char** problem) {
  const bool best = name == nullptr || *name == '\0';
  for (const Choice& choice : kChoices) {
    if (!best && std::strcmp(name, choice.name) != 0) continue;
    if (choice.present()) return choice.kernels;
    if (!best) {
      *problem = "this processor does not have the instruction set that STRIATE_ISA names";
      return nullptr;
    }
  }
  *problem = "STRIATE_ISA names no instruction set of this build: avx512, avx2 or baseline";
  return nullptr;
}

}  // namespace striate
