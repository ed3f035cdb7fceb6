import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlist } from './plist.ts';

function plist(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${body}
</plist>
`;
}

test('every kind of value is read, empty ones too', () => {
  const body = `<dict>
  <key>text</key><string>a &lt;b&gt; &amp; &#228;&#xe4;</string>
  <key>count</key><integer>31914983424</integer>
  <key>share</key><real>0.5</real>
  <key>yes</key><true/>
  <key>no</key><false/>
  <key>data</key><data>AAEC</data>
  <key>list</key><array><integer>1</integer><array/><dict/><string/></array>
  <key></key><string></string>
</dict>`;
  assert.deepEqual(parsePlist(plist(body)), {
    text: 'a <b> & ää',
    count: 31914983424,
    share: 0.5,
    yes: true,
    no: false,
    data: 'AAEC',
    list: [1, [], {}, ''],
    '': '',
  });
});

test('what is cut off, unknown or endlessly deep is an error', () => {
  for (const body of ['', '<dict>', '<dict><key>a</key></dict>', '<array><true/>', '<odd/>', '<string>a']) {
    assert.throws(() => parsePlist(plist(body)), /property list/, body);
  }
  assert.throws(() => parsePlist(plist('<array>'.repeat(1000))), /property list/);
});
