import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqttPacketBytesMax } from '../base/face-limits.ts';
import { MqttPacketGauge } from './mqtt-packet-gauge.ts';

function packet(lengthBytes: readonly number[], bodyBytes: number): Uint8Array {
  return Uint8Array.from([0x30, ...lengthBytes, ...new Uint8Array(bodyBytes).fill(0xff)]);
}

const fits = packet([0x80, 0x80, 0x01], mqttPacketBytesMax);

test('packets up to the limit pass, cut into pieces of any size', () => {
  const stream = Buffer.concat([
    packet([0], 0),
    packet([3], 3),
    fits,
    packet([0], 0),
    packet([0xff, 0x01], 255),
  ]);
  for (const pieceBytes of [1, 2, 7, 1000, stream.length]) {
    const gauge = new MqttPacketGauge();
    for (let offset = 0; offset < stream.length; offset += pieceBytes)
      assert.ok(gauge.accepts(stream.subarray(offset, offset + pieceBytes)), `${pieceBytes} at ${offset}`);
  }
});

test('a longer packet is told by its header, before its body comes', () => {
  assert.equal(new MqttPacketGauge().accepts(packet([0x81, 0x80, 0x01], 0)), false);
  assert.equal(new MqttPacketGauge().accepts(packet([0xff, 0xff, 0xff, 0x7f], 0)), false);
  assert.equal(new MqttPacketGauge().accepts(packet([0x80, 0x80, 0x80, 0x80], 1)), false);
  const gauge = new MqttPacketGauge();
  assert.ok(gauge.accepts(fits));
  assert.equal(gauge.accepts(packet([0xff, 0xff, 0x03], 0)), false);
});
