/** Appends numbers in one byte order; grows as needed. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  length = 0;
  readonly littleEndian: boolean;

  constructor(littleEndian: boolean) {
    this.littleEndian = littleEndian;
  }

  /** Where the next `more` bytes go; call it before taking the view, which it may replace. */
  #room(more: number): number {
    const at = this.length;
    this.length += more;
    if (this.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
    return this;
  }
  u16(value: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value, this.littleEndian);
    return this;
  }
  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value, this.littleEndian);
    return this;
  }
  u64(value: bigint | number): this {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), this.littleEndian);
    return this;
  }
  /** An integer of `size` bytes, two's complement. */
  integer(value: bigint, size: number): this {
    const at = this.#room(size);
    for (let i = 0; i < size; i++) {
      const shift = BigInt(8 * (this.littleEndian ? i : size - 1 - i));
      this.#view.setUint8(at + i, Number((value >> shift) & 0xffn));
    }
    return this;
  }
  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  /** Latin-1, so that every byte can be asked for. */
  text(text: string): this {
    return this.raw(Buffer.from(text, 'latin1'));
  }
  cstring(text: string): this {
    return this.text(text).u8(0);
  }
  padTo(multiple: number): this {
    this.#room((multiple - (this.length % multiple)) % multiple);
    return this;
  }
  /** Overwrites 8 bytes that were left open before. */
  patch64(at: number, value: number): void {
    this.#view.setBigUint64(at, BigInt(value), this.littleEndian);
  }
  patch32(at: number, value: number): void {
    this.#view.setUint32(at, value, this.littleEndian);
  }
  /** A copy of what was written. */
  done(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }
}
