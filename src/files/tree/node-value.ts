import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { type Bytes, concat } from '../../base/bytes.ts';
import { CborFields, type CborValue, encodeCbor } from '../../base/cbor.ts';
import { filesError } from '../files-error.ts';
import {
  type Stamp,
  stampFromCbor,
  stampToCbor,
  type Version,
  versionFromCbor,
  versionToCbor,
} from '../log/operations.ts';
import { nodeIdBytes } from '../node-id.ts';

export interface Placed {
  readonly stamp: Stamp;
  readonly parent: Bytes;
  readonly name: string;
}

export interface Versioned extends Version {
  readonly stamp: Stamp;
}

/** What the tree holds of one node: its newest place and its newest version, either of which may be still to come. */
export interface TreeNode {
  readonly place?: Placed;
  readonly version?: Versioned;
}

const nonceBytes = 12;
const tagBytes = 16;

/** nonce (12) + AES-256-GCM of the node's CBOR, with its id as associated data. */
export function sealNode(id: Bytes, node: TreeNode, metadataKey: KeyObject, nonce: Bytes): Bytes {
  const cipher = createCipheriv('aes-256-gcm', metadataKey, nonce);
  cipher.setAAD(id);
  return concat([nonce, cipher.update(encodeCbor(nodeToCbor(node))), cipher.final(), cipher.getAuthTag()]);
}

/** Errors: `TREE_CORRUPT`. */
export function openNode(id: Bytes, sealed: Bytes, metadataKey: KeyObject): TreeNode {
  try {
    const decipher = createDecipheriv('aes-256-gcm', metadataKey, sealed.subarray(0, nonceBytes));
    decipher.setAAD(id);
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
    const body = sealed.subarray(nonceBytes, sealed.length - tagBytes);
    return nodeFromCbor(CborFields.decode(concat([decipher.update(body), decipher.final()])));
  } catch (cause) {
    throw filesError('TREE_CORRUPT', 'a node of the tree does not open', { cause });
  }
}

function nodeToCbor({ place, version }: TreeNode): CborValue {
  return {
    place:
      place === undefined
        ? null
        : { stamp: stampToCbor(place.stamp), parent: place.parent, name: place.name },
    version: version === undefined ? null : { ...versionToCbor(version), stamp: stampToCbor(version.stamp) },
  };
}

function nodeFromCbor(fields: CborFields): TreeNode {
  const node: { place?: Placed; version?: Versioned } = {};
  if (fields.has('place')) {
    const place = fields.map('place');
    node.place = {
      stamp: stampFromCbor(place.value('stamp')),
      parent: place.bytes('parent', nodeIdBytes),
      name: place.text('name'),
    };
  }
  if (fields.has('version')) {
    const version = fields.map('version');
    node.version = { ...versionFromCbor(version), stamp: stampFromCbor(version.value('stamp')) };
  }
  return node;
}
