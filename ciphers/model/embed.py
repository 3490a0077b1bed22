#!/usr/bin/python3
"""Turns english.bin into a C file: embed.py IN OUT"""

import sys

with open(sys.argv[1], "rb") as file:
    data = file.read()
with open(sys.argv[2], "w", encoding="ascii") as file:
    file.write('#include "ciphers/model_data.h"\n\nconst uint8_t cipher_model_data[] = {\n')
    for at in range(0, len(data), 24):
        file.write("".join(f"{byte}," for byte in data[at:at + 24]) + "\n")
    file.write("};\nconst size_t cipher_model_data_len = sizeof(cipher_model_data);\n")
