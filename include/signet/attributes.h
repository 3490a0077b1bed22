/* What the compiler is told about signet's functions. */
#ifndef SIGNET_ATTRIBUTES_H
#define SIGNET_ATTRIBUTES_H

/* Part of the shared library's interface; everything else is hidden. */
#define SIGNET_API __attribute__((visibility("default")))
/* An ignored result does not compile without a warning. */
#define SIGNET_MUST_USE __attribute__((warn_unused_result))

#endif
