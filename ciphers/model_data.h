/* english.bin (model/make_model.py), made into C while building (model/embed.py). */
#ifndef CIPHERS_MODEL_DATA_H
#define CIPHERS_MODEL_DATA_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t cipher_model_data[];
extern const size_t cipher_model_data_len;

#endif
