# U-Boot's script on the boot partition, for every board: takes the slot whose turn it is and counts the try before it
# is made. RAUC writes the same three variables; a slot that is not in the order was marked bad, or is half written, and
# is given no tries here. Facts of the board come from board.env beside this script. (What is compiled has no comments:
# U-Boot's shell takes an apostrophe in one for a quote.)
load ${devtype} ${devnum}:${distro_bootpart} ${scriptaddr} board.env && env import -t ${scriptaddr} ${filesize}

# Blocks are read from and written to the device that is current, whichever that was. The copy lies 4 MiB farther on.
${devtype} dev ${devnum}
part start ${devtype} ${devnum} env env_start
setexpr env_copy ${env_start} + 0x2000
part number ${devtype} ${devnum} rootA part_a
part number ${devtype} ${devnum} rootB part_b

# An environment that is torn is as it was at the last start (its CRC is checked by -c); one that was never written means
# the defaults.
if ${devtype} read ${kernel_addr_r} ${env_start} 0x20 && env import -c ${kernel_addr_r} 0x4000 BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; then
  echo "boot: environment read"
else
  env delete BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
  if ${devtype} read ${kernel_addr_r} ${env_copy} 0x20 && env import -c ${kernel_addr_r} 0x4000 BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; then
    echo "boot: environment damaged, its copy taken"
  else
    echo "boot: environment damaged, defaults taken"
    env delete BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
  fi
fi
test -n "${BOOT_ORDER}" || setenv BOOT_ORDER "A B"
test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3
test -n "${BOOT_B_LEFT}" || setenv BOOT_B_LEFT 3

setenv slot
for each in ${BOOT_ORDER}; do
  if test -z "${slot}"; then
    if test "${each}" = "A" && itest 0x${BOOT_A_LEFT} -gt 0; then
      setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1
      setenv slot A
      setenv slot_part ${part_a}
    fi
    if test "${each}" = "B" && itest 0x${BOOT_B_LEFT} -gt 0; then
      setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1
      setenv slot B
      setenv slot_part ${part_b}
    fi
  fi
done
if test -z "${slot}"; then
  echo "boot: no tries left on any slot, counting anew"
  for each in ${BOOT_ORDER}; do
    if test "${each}" = "A"; then setenv BOOT_A_LEFT 3; fi
    if test "${each}" = "B"; then setenv BOOT_B_LEFT 3; fi
  done
fi
env export -c -s 0x4000 ${kernel_addr_r} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
${devtype} write ${kernel_addr_r} ${env_start} 0x20
${devtype} write ${kernel_addr_r} ${env_copy} 0x20
if test -z "${slot}"; then reset; fi
echo "boot: slot ${slot}, order ${BOOT_ORDER}, tries left A ${BOOT_A_LEFT} B ${BOOT_B_LEFT}"

# The device tree moves away from where the kernel will be.
setexpr tree_at ${kernel_addr_r} + 0x8000000
setexpr initrd_at ${tree_at} + 0x200000
cp.b ${fdt_addr} ${tree_at} 0x80000
setexpr kernel_comp_addr_r ${tree_at} + 0x4000000
setenv kernel_comp_size 0x2000000
setenv bootargs "console=${console} root=PARTLABEL=root${slot} rauc.slot=${slot} aetherstore.card=${devtype} ro gpt panic=5 watchdog.stop_on_reboot=0 quiet loglevel=4 ${board_args}"
load ${devtype} ${devnum}:${slot_part} ${kernel_addr_r} /boot/Image.gz || reset
load ${devtype} ${devnum}:${slot_part} ${initrd_at} /boot/initrd.img || reset
booti ${kernel_addr_r} ${initrd_at}:${filesize} ${tree_at} || reset
