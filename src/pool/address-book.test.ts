import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesPerMemberMax } from '../base/limits.ts';
import { silentLog } from '../base/log.ts';
import { MemoryDisk } from '../testing/memory-disk.ts';
import { SeededEntropy } from '../testing/seeded-entropy.ts';
import { AddressBook, addressBookPath } from './address-book.ts';

const member = new Uint8Array(32).fill(7);

test('the newest address comes first, is kept, and old ones fall off the end', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  const book = await AddressBook.open(disk, { log: silentLog });
  for (let port = 1; port <= addressesPerMemberMax + 3; port++)
    book.seen(member, { host: '192.0.2.1', port });
  book.seen(member, { host: '192.0.2.1', port: 9 });
  await book.settled();
  const again = await AddressBook.open(disk, { log: silentLog });
  assert.deepEqual(again.addressesOf(member)[0], { host: '192.0.2.1', port: 9 });
  assert.equal(again.addressesOf(member).length, addressesPerMemberMax);
  assert.deepEqual(again.members(), [member]);
});

test('a damaged address book is dropped, not fatal', async () => {
  const disk = new MemoryDisk({ entropy: new SeededEntropy(1) });
  const file = await disk.open(addressBookPath, 'create');
  await file.write([new Uint8Array([1, 2, 3])], 0);
  const book = await AddressBook.open(disk, { log: silentLog });
  assert.deepEqual(book.members(), []);
});
