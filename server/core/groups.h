/* Groups of operations; core.h says more of them: core_flush, core_answered, core_discard. */
#ifndef SERVER_CORE_GROUPS_H
#define SERVER_CORE_GROUPS_H

struct relay_core;

/* Submit again the groups that the store could not tell the fate of. */
void groups_submit_again(struct relay_core *core);

#endif
