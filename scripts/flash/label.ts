import { claimUri, type Provision } from './provision.ts';
import { qrCells, qrPath } from './qr-picture.ts';

/** Millimetres of a common roll of address labels. */
const widthMm = 62;
const heightMm = 29;
const marginMm = 2;

/** What is printed and stuck on a box: its name, serial number, claim code, and both as a QR code. */
export function labelSvg(provision: Provision): string {
  const cells = qrCells(claimUri(provision), 1);
  const sideMm = heightMm - 2 * marginMm - 2;
  const scale = (sideMm / cells.length).toFixed(4);
  // The rest of the quiet zone is the white around it.
  const textMm = marginMm + sideMm + 5;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${widthMm}mm" height="${heightMm}mm" viewBox="0 0 ${widthMm} ${heightMm}">
  <title>AetherStore ${provision.serial}</title>
  <rect width="${widthMm}" height="${heightMm}" fill="#fff"/>
  <path transform="translate(${marginMm + 1} ${marginMm + 1}) scale(${scale})" shape-rendering="crispEdges" d="${qrPath(cells)}"/>
  <g font-family="DejaVu Sans, Arial, sans-serif" font-size="2.6">
    <text x="${textMm}" y="7" font-size="4.6" font-weight="bold">AetherStore</text>
    <text x="${textMm}" y="12.5">Serial number</text>
    <text x="${textMm}" y="16" ${monospace(provision.serial, 3)}>${provision.serial}</text>
    <text x="${textMm}" y="21">Claim code</text>
    <text x="${textMm}" y="25.8" ${monospace(provision.claimCode, 4.4)} font-weight="bold">${provision.claimCode}</text>
  </g>
</svg>
`;
}

/** As large as asked, or as fits: a character of a monospaced font is 0.6 of its size wide. */
function monospace(text: string, size: number): string {
  const roomMm = widthMm - marginMm - (marginMm + heightMm - 2 * marginMm - 2 + 5);
  const fitted = Math.min(size, roomMm / (text.length * 0.61));
  return `font-family="DejaVu Sans Mono, Menlo, monospace" font-size="${fitted.toFixed(2)}"`;
}
