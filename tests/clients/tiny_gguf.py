"""Writes a Llama model of random weights with a vocabulary of bytes, 0.5 MB. Usage: tiny_gguf.py FILE. Needs gguf and numpy."""

import sys

import gguf
import numpy as np

WIDTH, LAYERS, HEADS, HIDDEN, CONTEXT = 64, 2, 4, 128, 16384

writer = gguf.GGUFWriter(sys.argv[1], "llama")
writer.add_context_length(CONTEXT)
writer.add_embedding_length(WIDTH)
writer.add_block_count(LAYERS)
writer.add_feed_forward_length(HIDDEN)
writer.add_head_count(HEADS)
writer.add_head_count_kv(HEADS)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_rope_dimension_count(WIDTH // HEADS)

# The tokenizer writes a space as U+2581: as a token of its own it is read back as a space.
tokens = [b"<unk>", b"<s>", b"</s>"] + [f"<0x{byte:02X}>".encode() for byte in range(256)] + ["\u2581".encode()]
kinds = [gguf.TokenType.UNKNOWN] + [gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.BYTE] * 256 + [gguf.TokenType.NORMAL]
writer.add_tokenizer_model("llama")
writer.add_token_list(tokens)
writer.add_token_scores([0.0] * len(tokens))
writer.add_token_types(kinds)
# A space before the prompt's end would not be what the grammar of a call begins with.
writer.add_add_space_prefix(False)
writer.add_unk_token_id(0)
writer.add_bos_token_id(1)
writer.add_eos_token_id(2)

random = np.random.default_rng(7)


def weights(name: str, *shape: int, first: np.ndarray | float | None = None) -> None:
    values = (random.standard_normal(shape) * 0.1).astype(np.float32)
    if first is not None:
        values[:, 0] = first
    writer.add_tensor(name, values)


def ones(name: str) -> None:
    writer.add_tensor(name, np.ones(WIDTH, dtype=np.float32))


# The first number of every token is large, so that the first weight of an output is its bias. Where a call is demanded the
# grammar of llama.cpp lets the model choose between a text (`all`) and a call (`get_weather`), and then between another call
# and the end: never the text, and the end before another call. Bytes beyond ASCII would seldom be UTF-8, and the server fails
# an answer that is not.
BYTES = 3
bias = np.zeros(len(tokens), dtype=np.float32)
bias[BYTES + ord("a")], bias[BYTES + ord("g")] = -20, -5
bias[BYTES + 128 : BYTES + 256] = -20
weights("token_embd.weight", len(tokens), WIDTH, first=4.0)
weights("output.weight", len(tokens), WIDTH, first=bias)
ones("output_norm.weight")
for layer in range(LAYERS):
    prefix = f"blk.{layer}."
    ones(prefix + "attn_norm.weight")
    ones(prefix + "ffn_norm.weight")
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        weights(f"{prefix}{part}.weight", WIDTH, WIDTH)
    weights(prefix + "ffn_gate.weight", HIDDEN, WIDTH)
    weights(prefix + "ffn_up.weight", HIDDEN, WIDTH)
    weights(prefix + "ffn_down.weight", WIDTH, HIDDEN)

writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
