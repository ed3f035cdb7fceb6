"""Says on eth0 that an address is its own, as many times as asked, a second apart: a conflict made on purpose."""
import sys
import time

from scapy.all import ARP, Ether, get_if_hwaddr, sendp

address, times = sys.argv[1], int(sys.argv[2])
mac = get_if_hwaddr("eth0")
claim = Ether(dst="ff:ff:ff:ff:ff:ff", src=mac) / ARP(op=1, hwsrc=mac, psrc=address, pdst=address)
for number in range(times):
    sendp(claim, iface="eth0", verbose=False)
    print(f"claimed {number + 1}", flush=True)
    time.sleep(1)
