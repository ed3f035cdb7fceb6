"""Denies every ARP probe on eth0, as a host that owns all addresses would, and prints what it denied."""
import sys
import time

from scapy.all import ARP, Ether, get_if_hwaddr, sendp, sniff

mac = get_if_hwaddr("eth0")
seconds = float(sys.argv[1])
started = time.monotonic()


def deny(packet):
    arp = packet[ARP]
    if arp.op != 1 or arp.psrc != "0.0.0.0" or arp.hwsrc == mac:
        return
    reply = Ether(dst="ff:ff:ff:ff:ff:ff", src=mac) / ARP(
        op=2, hwsrc=mac, psrc=arp.pdst, hwdst=arp.hwsrc, pdst="0.0.0.0"
    )
    sendp(reply, iface="eth0", verbose=False)
    print(f"{time.monotonic() - started:.3f} {arp.pdst}", flush=True)


print("ready", flush=True)
sniff(iface="eth0", filter="arp", prn=deny, store=False, timeout=seconds)
