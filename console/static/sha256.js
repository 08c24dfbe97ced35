// SHA-256 piece by piece, for files that do not fit into memory. What browsers bring takes a whole file at once, and
// nothing at all on pages without TLS.
"use strict";

const SHA256_BLOCK = 64;
const [SHA256_START, SHA256_ROUNDS] = (() => {
  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) {
    if (primes.every((prime) => n % prime)) primes.push(n);
  }
  // The first 32 bits of what stands behind the point of their roots.
  const bits = (root) => Int32Array.from(primes, (prime) => (prime ** root % 1) * 2 ** 32);
  return [bits(1 / 2).slice(0, 8), bits(1 / 3)];
})();

class Sha256 {
  #state = SHA256_START.slice();
  #words = new Int32Array(64);
  #rest = new Uint8Array(0);
  #size = 0;

  update(bytes) {
    this.#size += bytes.length;
    let at = 0;
    if (this.#rest.length) {
      at = Math.min(SHA256_BLOCK - this.#rest.length, bytes.length);
      const filled = new Uint8Array(this.#rest.length + at);
      filled.set(this.#rest);
      filled.set(bytes.subarray(0, at), this.#rest.length);
      this.#rest = filled;
      if (filled.length < SHA256_BLOCK) return;
      this.#mix(filled);
    }
    const end = at + Math.floor((bytes.length - at) / SHA256_BLOCK) * SHA256_BLOCK;
    this.#mix(bytes.subarray(at, end));
    this.#rest = bytes.slice(end);
  }

  // The end of it: in 64 hexadecimal digits.
  digest() {
    const size = this.#size;
    const padded = new Uint8Array(1 + ((2 * SHA256_BLOCK - 9 - (size % SHA256_BLOCK)) % SHA256_BLOCK) + 8);
    padded[0] = 0x80;
    new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(size) * 8n);
    this.update(padded);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #mix(bytes) {
    const words = this.#words, rounds = SHA256_ROUNDS, state = this.#state;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += SHA256_BLOCK) {
      for (let i = 0; i < 16; i += 1) words[i] = view.getInt32(at + 4 * i);
      for (let i = 16; i < 64; i += 1) {
        const x = words[i - 15], y = words[i - 2];
        const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        words[i] = words[i - 16] + s0 + words[i - 7] + s1;
      }
      let a = state[0], b = state[1], c = state[2], d = state[3];
      let e = state[4], f = state[5], g = state[6], h = state[7];
      for (let i = 0; i < 64; i += 1) {
        const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const t1 = (h + s1 + ((e & f) ^ (~e & g)) + rounds[i] + words[i]) | 0;
        const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g;
        g = f;
        f = e;
        e = (d + t1) | 0;
        d = c;
        c = b;
        b = a;
        a = (t1 + t2) | 0;
      }
      state[0] += a;
      state[1] += b;
      state[2] += c;
      state[3] += d;
      state[4] += e;
      state[5] += f;
      state[6] += g;
      state[7] += h;
    }
  }
}
