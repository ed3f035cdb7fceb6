import assert from 'node:assert/strict';
import { test } from 'node:test';
import { driversOf } from './drivers.ts';

const aliases = `# Aliases extracted from modules themselves.
alias of:N*T*Cregulator-gpio gpio_regulator
alias of:N*T*Cregulator-gpioC* gpio_regulator
alias of:N*T*Cbrcm,bcm2835-sdhci sdhci_iproc
alias of:N*T*Cbrcm,bcm2835-pwm pwm_bcm2835
alias of:N*T*Cchild child_driver
alias usb:v0424p9500d*dc*dsc*dp*ic*isc*ip*in* smsc95xx
`;

const tree = `/dts-v1/;
/ {
	compatible = "raspberrypi,4-model-b", "brcm,bcm2711";

	regulator-sd-io-1v8 {
		compatible = "regulator-gpio";
	};

	soc {
		compatible = "simple-bus";

		mmc@7e300000 {
			compatible = "brcm,bcm2711-new", "brcm,bcm2835-sdhci";
			status = "okay";
		};

		pwm@7e20c000 {
			compatible = "brcm,bcm2835-pwm";
			status = "disabled";

			part {
				compatible = "child";
			};
		};
	};
};
`;

test('each enabled node asks for the drivers of what it is compatible with', () => {
  assert.deepEqual([...driversOf(tree, aliases)].sort(), ['gpio_regulator', 'sdhci_iproc']);
});
