/** The part of the JavaScript interface of WebAssembly that is used here; Node's types do not declare it. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
};

/** O_DIRECT wants memory that begins at a multiple of the block size; WebAssembly's begins at a page. */
export function alignedBuffer(bytes: number): Buffer {
  const { buffer } = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65_536) });
  return Buffer.from(buffer, 0, bytes);
}
