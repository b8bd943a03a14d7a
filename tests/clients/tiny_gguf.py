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

tokens = [b"<unk>", b"<s>", b"</s>"] + [f"<0x{byte:02X}>".encode() for byte in range(256)]
kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL] + [gguf.TokenType.BYTE] * 256
writer.add_tokenizer_model("llama")
writer.add_token_list(tokens)
writer.add_token_scores([0.0] * len(tokens))
writer.add_token_types(kinds)
writer.add_unk_token_id(0)
writer.add_bos_token_id(1)
writer.add_eos_token_id(2)

random = np.random.default_rng(7)


def weights(name: str, *shape: int) -> None:
    writer.add_tensor(name, (random.standard_normal(shape) * 0.1).astype(np.float32))


def ones(name: str) -> None:
    writer.add_tensor(name, np.ones(WIDTH, dtype=np.float32))


weights("token_embd.weight", len(tokens), WIDTH)
weights("output.weight", len(tokens), WIDTH)
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
