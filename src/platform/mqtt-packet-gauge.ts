import { mqttPacketBytesMax } from '../base/face-limits.ts';

/**
 * Watches how long the packets of an MQTT stream say they are (MQTT 3.1.1 §2.2: a byte for the kind, then the length in
 * up to four bytes of seven bits). The parser behind it gathers a packet whole, up to 256 MiB.
 */
export class MqttPacketGauge {
  #place: 'kind' | 'length' | 'rest' = 'kind';
  #length = 0;
  #lengthBytes = 0;
  #restBytes = 0;

  /** False from the first packet on that is longer than `mqttPacketBytesMax`. */
  accepts(bytes: Uint8Array): boolean {
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#place === 'rest') {
        const step = Math.min(this.#restBytes, bytes.length - offset);
        offset += step;
        this.#restBytes -= step;
        if (this.#restBytes === 0) this.#place = 'kind';
        continue;
      }
      const byte = bytes[offset++]!;
      if (this.#place === 'kind') {
        this.#place = 'length';
        this.#length = 0;
        this.#lengthBytes = 0;
        continue;
      }
      this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes++;
      if (this.#length > mqttPacketBytesMax || this.#lengthBytes > 4) return false;
      if ((byte & 0x80) !== 0) continue;
      this.#restBytes = this.#length;
      this.#place = this.#restBytes === 0 ? 'kind' : 'rest';
    }
    return true;
  }
}
