/* What a call of the engine has brought about, as its caller takes it. */
#include "engine/output.h"

#include <stdlib.h>

struct engine_event *engine_output_event(struct engine_output *output)
{
    struct engine_event *event = output->first_event;

    if (event == NULL)
        return NULL;
    output->first_event = event->next;
    if (output->first_event == NULL)
        output->last_event = NULL;
    event->next = NULL;
    return event;
}

struct engine_frame *engine_output_frame(struct engine_output *output)
{
    struct engine_frame *frame = output->first_frame;

    if (frame == NULL)
        return NULL;
    output->first_frame = frame->next;
    if (output->first_frame == NULL)
        output->last_frame = NULL;
    frame->next = NULL;
    return frame;
}

void engine_frame_free(struct engine_frame *frame)
{
    if (frame == NULL)
        return;
    signet_buf_free(&frame->bytes);
    free(frame);
}

void engine_output_clear(struct engine_output *output)
{
    struct engine_frame *frame;
    struct engine_event *event;

    record_batch_clear(&output->changes);
    while ((frame = engine_output_frame(output)) != NULL)
        engine_frame_free(frame);
    while ((event = engine_output_event(output)) != NULL)
        free(event);
}
