/** What the commonest service types are, in the words of a person who has such a thing. */
const words: Readonly<Record<string, string>> = {
  '_aetherstore._tcp': 'AetherStore boxes',
  '_airplay._tcp': 'screens and speakers (AirPlay)',
  '_companion-link._tcp': 'Apple devices',
  '_device-info._tcp': 'what devices are',
  '_ftp._tcp': 'file transfer',
  '_googlecast._tcp': 'screens and speakers (Cast)',
  '_hap._tcp': 'home automation',
  '_home-assistant._tcp': 'home automation',
  '_http._tcp': 'web pages',
  '_https._tcp': 'web pages',
  '_ipp._tcp': 'printers',
  '_ipps._tcp': 'printers',
  '_mqtt._tcp': 'message brokers',
  '_nfs._tcp': 'shared folders (NFS)',
  '_pdl-datastream._tcp': 'printers',
  '_printer._tcp': 'printers',
  '_raop._tcp': 'speakers (AirPlay)',
  '_rfb._tcp': 'shared screens',
  '_scanner._tcp': 'scanners',
  '_sftp-ssh._tcp': 'file transfer',
  '_smb._tcp': 'shared folders (SMB)',
  '_ssh._tcp': 'command lines',
  '_uscan._tcp': 'scanners',
  '_webdav._tcp': 'shared folders (WebDAV)',
  '_webdavs._tcp': 'shared folders (WebDAV)',
  '_workstation._tcp': 'computers',
};

export function serviceTypeWords(type: string): string {
  return words[type.toLowerCase()] ?? '';
}
