/* What the compiler is told about signet's functions. */
#ifndef SIGNET_ATTRIBUTES_H
#define SIGNET_ATTRIBUTES_H

/* Part of the shared library's interface; everything else is hidden. */
#define SIGNET_API __attribute__((visibility("default")))
/* An ignored result does not compile without a warning. */
#define SIGNET_MUST_USE __attribute__((warn_unused_result))

/* Around what a header declares: C++ calls it by the names that C gave it. */
#ifdef __cplusplus
#define SIGNET_C_BEGIN extern "C" {
#define SIGNET_C_END   }
#else
#define SIGNET_C_BEGIN
#define SIGNET_C_END
#endif

#endif
