import { type Bytes, concat, viewOf } from '../../base/bytes.ts';
import { formatIpv4, formatIpv6, parseIpv4 } from '../../base/ip-address.ts';

/**
 * rtnetlink (rtnetlink(7), netlink(7)): messages of a 16-byte header, a fixed part, and attributes, all padded to
 * four bytes and in the host's byte order, which is little-endian on every board we know.
 */
const headerBytes = 16;
const attributeHeaderBytes = 4;

const messageType = {
  error: 2,
  done: 3,
  overrun: 4,
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
} as const;

const requestFlag = { request: 1, acknowledge: 4, exclusive: 0x200, dump: 0x300, create: 0x400 } as const;
const dumpInterrupted = 0x10;

const addressFamily = { unspecified: 0, ipv4: 2, ipv6: 10 } as const;

export interface NetlinkMessage {
  readonly sequence: number;
  /** The dump that this is part of met a change midway, and must be asked for again. */
  readonly interrupted: boolean;
  readonly body: NetlinkBody;
}

export type NetlinkBody =
  | { readonly kind: 'link'; readonly gone: boolean; readonly link: RawLink }
  | { readonly kind: 'address'; readonly gone: boolean; readonly address: RawAddress }
  /** The answer to a request: 0, or the number of an error. */
  | { readonly kind: 'answer'; readonly error: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'other' };

export interface RawLink {
  readonly index: number;
  readonly name: string;
  /** ARPHRD_…: 1 is Ethernet. */
  readonly type: number;
  /** IFF_…. */
  readonly flags: number;
  readonly mac: Bytes;
  /** It is a port of a bridge, a bond or the like. */
  readonly hasMaster: boolean;
  readonly carrierChanges: number;
}

export interface RawAddress {
  readonly index: number;
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  readonly prefixLength: number;
  /** IFA_F_…. */
  readonly flags: number;
}

/** The messages of one read; bytes that are none, and kinds we do not know, are left out. Never throws. */
export function parseNetlink(bytes: Bytes): readonly NetlinkMessage[] {
  const view = viewOf(bytes);
  const messages: NetlinkMessage[] = [];
  for (let offset = 0; offset + headerBytes <= bytes.length; ) {
    const length = view.getUint32(offset, true);
    if (length < headerBytes || offset + length > bytes.length) break;
    const type = view.getUint16(offset + 4, true);
    const flags = view.getUint16(offset + 6, true);
    const sequence = view.getUint32(offset + 8, true);
    const body = parseBody(type, bytes.subarray(offset + headerBytes, offset + length));
    messages.push({ sequence, interrupted: (flags & dumpInterrupted) !== 0, body });
    offset += align(length);
  }
  return messages;
}

export function linkDump(sequence: number): Bytes {
  return message(messageType.getLink, requestFlag.request | requestFlag.dump, sequence, new Uint8Array(16));
}

export function addressDump(sequence: number): Bytes {
  return message(messageType.getAddress, requestFlag.request | requestFlag.dump, sequence, new Uint8Array(8));
}

export interface AddressRequest {
  readonly index: number;
  /** Dotted IPv4. */
  readonly address: string;
  readonly prefixLength: number;
  /** RT_SCOPE_LINK instead of RT_SCOPE_UNIVERSE: valid on its link only. */
  readonly isLinkScope: boolean;
}

/** Answered with an error of EEXIST where the address is there already. */
export function addressAddition(sequence: number, request: AddressRequest): Bytes {
  const { request: ask, acknowledge, create, exclusive } = requestFlag;
  return message(
    messageType.newAddress,
    ask | acknowledge | create | exclusive,
    sequence,
    addressBody(request),
  );
}

/** Answered with an error of EADDRNOTAVAIL where it is gone already. */
export function addressRemoval(sequence: number, request: AddressRequest): Bytes {
  const flags = requestFlag.request | requestFlag.acknowledge;
  return message(messageType.deleteAddress, flags, sequence, addressBody(request));
}

function parseBody(type: number, body: Bytes): NetlinkBody {
  switch (type) {
    case messageType.newLink:
    case messageType.deleteLink:
      return parseLink(body, type === messageType.deleteLink);
    case messageType.newAddress:
    case messageType.deleteAddress:
      return parseAddress(body, type === messageType.deleteAddress);
    case messageType.error:
      return body.length < 4 ? { kind: 'other' } : { kind: 'answer', error: -viewOf(body).getInt32(0, true) };
    case messageType.done:
      return { kind: 'done' };
    default:
      return { kind: 'other' };
  }
}

const linkAttribute = { mac: 1, name: 3, master: 10, carrierChanges: 35 } as const;

/** `struct ifinfomsg`: family, type, index, flags. Those of another family are of bridges and their ports. */
function parseLink(body: Bytes, gone: boolean): NetlinkBody {
  if (body.length < 16 || body[0] !== addressFamily.unspecified) return { kind: 'other' };
  const view = viewOf(body);
  const attributes = parseAttributes(body.subarray(16));
  const name = attributes.get(linkAttribute.name) ?? new Uint8Array(0);
  const changes = attributes.get(linkAttribute.carrierChanges);
  const link: RawLink = {
    index: view.getInt32(4, true),
    name: Buffer.from(name).toString('utf8').replace(/\0.*$/s, ''),
    type: view.getUint16(2, true),
    flags: view.getUint32(8, true),
    mac: new Uint8Array(attributes.get(linkAttribute.mac) ?? []),
    hasMaster: attributes.has(linkAttribute.master),
    carrierChanges: changes?.length === 4 ? viewOf(changes).getUint32(0, true) : 0,
  };
  return { kind: 'link', gone, link };
}

const addressAttribute = { address: 1, local: 2, broadcast: 4, flags: 8 } as const;

/** `struct ifaddrmsg`: family, prefix length, flags, scope, index. */
function parseAddress(body: Bytes, gone: boolean): NetlinkBody {
  if (body.length < 8) return { kind: 'other' };
  const attributes = parseAttributes(body.subarray(8));
  const isSix = body[0] === addressFamily.ipv6;
  // The local address, where the other is a peer's at the far end of a line.
  const bytes = attributes.get(addressAttribute.local) ?? attributes.get(addressAttribute.address);
  if ((!isSix && body[0] !== addressFamily.ipv4) || bytes?.length !== (isSix ? 16 : 4))
    return { kind: 'other' };
  const flags = attributes.get(addressAttribute.flags);
  const address: RawAddress = {
    index: viewOf(body).getUint32(4, true),
    family: isSix ? 'ipv6' : 'ipv4',
    address: isSix ? formatIpv6(bytes) : formatIpv4(bytes),
    prefixLength: body[1]!,
    flags: flags?.length === 4 ? viewOf(flags).getUint32(0, true) : body[2]!,
  };
  return { kind: 'address', gone, address };
}

function parseAttributes(bytes: Bytes): ReadonlyMap<number, Bytes> {
  const view = viewOf(bytes);
  const attributes = new Map<number, Bytes>();
  for (let offset = 0; offset + attributeHeaderBytes <= bytes.length; ) {
    const length = view.getUint16(offset, true);
    if (length < attributeHeaderBytes || offset + length > bytes.length) break;
    // The two highest bits say that it is nested, or in network order.
    const type = view.getUint16(offset + 2, true) & 0x3fff;
    attributes.set(type, bytes.subarray(offset + attributeHeaderBytes, offset + length));
    offset += align(length);
  }
  return attributes;
}

function addressBody({ index, address, prefixLength, isLinkScope }: AddressRequest): Bytes {
  const bytes = parseIpv4(address)!;
  const broadcast = new Uint8Array(4);
  new DataView(broadcast.buffer).setUint32(0, viewOf(bytes).getUint32(0) | (0xffffffff >>> prefixLength));
  const head = new Uint8Array(8);
  head[0] = addressFamily.ipv4;
  head[1] = prefixLength;
  head[3] = isLinkScope ? 253 : 0;
  viewOf(head).setUint32(4, index, true);
  const { local, address: whole, broadcast: all } = addressAttribute;
  return concat([head, attribute(local, bytes), attribute(whole, bytes), attribute(all, broadcast)]);
}

function attribute(type: number, data: Bytes): Bytes {
  const bytes = new Uint8Array(align(attributeHeaderBytes + data.length));
  viewOf(bytes).setUint16(0, attributeHeaderBytes + data.length, true);
  viewOf(bytes).setUint16(2, type, true);
  bytes.set(data, attributeHeaderBytes);
  return bytes;
}

function message(type: number, flags: number, sequence: number, body: Bytes): Bytes {
  const bytes = new Uint8Array(headerBytes + body.length);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  bytes.set(body, headerBytes);
  return bytes;
}

function align(length: number): number {
  return (length + 3) & ~3;
}
