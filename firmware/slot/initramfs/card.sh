# Finds partitions by their names on the card only, which is the disk that the boot loader took: a card of another box
# in a reader has the same names, and the same numbers, as every card is a copy of one image.
sys=/sys

# DISK NAME: the kernel's name of that partition of that disk.
partition() {
  for event in "$sys/block/$1/$1"*/uevent; do
    if grep -q "^PARTNAME=$2\$" "$event" 2>/dev/null; then
      basename "$(dirname "$event")"
      return
    fi
  done
}

# KIND NAME: the first disk of that kind, as U-Boot calls it, with a partition of that name. A boot script that says no
# kind is from before it was asked to: then disks that are cards come first, and what can be plugged in comes last.
card() {
  case $1 in
    mmc) kinds='mmcblk' ;;
    virtio) kinds='vd' ;;
    nvme) kinds='nvme' ;;
    usb | scsi) kinds='sd' ;;
    *) kinds='mmcblk vd nvme sd' ;;
  esac
  for kind in $kinds; do
    for folder in "$sys/block/$kind"*; do
      disk=$(basename "$folder")
      if [ -n "$(partition "$disk" "$2")" ]; then
        echo "$disk"
        return
      fi
    done
  done
}
