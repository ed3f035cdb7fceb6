/** Bounds of what people and foreign programs see of a box, each with why; the others are in `limits.ts`. */

import { volumesMax } from './limits.ts';

/** How long the lights say which box this is: time to walk to a shelf. */
export const identifyMs = 60_000;

/** Wrong maintenance PINs before it locks, for how long at first, and at most. */
export const pinTriesMax = 5;
export const pinLockMs = 60_000;
export const pinLockMsMax = 60 * 60_000;

/** The history of the status is written at most this often: a card wears by each write. */
export const historyWritePeriodMs = 30_000;

/** 500 events with their sentences. */
export const historyFileBytesMax = 1024 * 1024;

/** Connections of browsers: a page keeps one for its news and up to five for what it loads. */
export const httpConnectionsMax = 96;

/** Line and headers of one request. */
export const httpHeaderBytesMax = 16 * 1024;

/** Who has not sent its headers by then is no browser. */
export const httpHeadersTimeoutMs = 15_000;

/** A connection on which nothing moves for so long is dropped; a page's news have a sign of life more often. */
export const httpIdleMs = 60_000;

/** What goes on when the box stops may still take this long. */
export const httpCloseMs = 1000;

/** Sessions of people on the box's page; the one unused longest goes first. */
export const webSessionsMax = 64;

/** A session ends when nothing was asked in it for so long, and at last after a day. */
export const webSessionIdleMs = 60 * 60_000;
export const webSessionMs = 24 * 60 * 60_000;

/** Codes and PINs tried on the page, of all people together: a typing error each few seconds is fine. */
export const webLoginsPerMinuteMax = 12;

/** A form of the page: a code, a PIN, a name. */
export const webFormBytesMax = 8 * 1024;

/** Pages that are told of news at once. */
export const webStreamsMax = 32;

/** Between two signs of life on a page's stream of news, when there are none. */
export const webStreamPeriodMs = 15_000;

/** Entries of a folder on one page. */
export const webListEntriesMax = 500;

/** What a broker sends us is `PRESS`, `install` or `online`; a longer payload is not looked at. */
export const mqttPayloadBytesMax = 64;

/** Of one MQTT packet from a broker, topic included; it could be 256 MiB. One that is longer ends the connection. */
export const mqttPacketBytesMax = 16 * 1024;

/** How often a broker is told of changes at most, each time the newest only. */
export const mqttPublishGapMs = 1000;

/** A broker that has not answered for this long, to a connection, a message or a subscription, is given up. */
export const mqttAnswerTimeoutMs = 20_000;

/** Without any packet for this long a broker is asked for a sign of life; it publishes our last will after half as much again. */
export const mqttKeepAliveSeconds = 30;

/** Waiting time before a broker that failed is tried again: doubled each time, between these. */
export const mqttRetryDelayMsMin = 1000;
export const mqttRetryDelayMsMax = 5 * 60_000;

/** A connection that lasted this long was a good one: the next failure starts with the shortest waiting time again. */
export const mqttSettledMs = 60_000;

/** How often the status is looked at while nobody tells of a change: temperatures move without an event. */
export const mqttRefreshMs = 30_000;

/** Between two commands of one kind that are followed: nobody means more, and a mad automation must not wear a box out. */
export const mqttCommandGapMs = { identify: 1000, restart: 60_000, update: 10_000 } as const;

/** A state in Home Assistant holds this many characters; it throws longer ones away. */
export const mqttTextCharactersMax = 255;

/** Conditions told of to Home Assistant, the worst first: a person reads no more there. */
export const mqttConditionsMax = 16;

/** Disks that were told of and are gone, until the box starts again: Home Assistant is asked to forget them. */
export const mqttForgottenDisksMax = 2 * volumesMax;

/** Brokers found on the network that are shown: a network has one or two. */
export const mqttBrokersFoundMax = 16;

/** A password or PEM file of a broker: a chain of certificates has some KiB. */
export const mqttFileBytesMax = 64 * 1024;

/** The computer is read this often: reading it costs some milliseconds, and heat comes slowly. */
export const machinePollMs = 30_000;

/** How long after the start the computer and its disks are asked for the first time: until then the box begins to serve. */
export const firstLookMs = 3000;

/** How long after the start nobody is told that no time server has set the clock: one needs a network first. */
export const clockSetWithinMs = 60_000;

/** Disks are listed when the kernel says that something changed, and in case it did not say. */
export const diskListPeriodMs = 60_000;

/** A start waits so long for the disks that were taken into use: they spin up, and are checked after a power cut. */
export const mountWaitMs = 30_000;

/** Disks are asked for their own opinion this often: each time costs a child process. */
export const smartPollMs = 30 * 60_000;

/** How long smartctl may take, and how much it may say. */
export const smartTimeoutMs = 20_000;
export const smartBytesMax = 1024 * 1024;

/** What counts as often: errors within these times. */
export const diskErrorWindowMs = 60 * 60_000;
export const networkErrorWindowMs = 60_000;
export const networkErrorsPerMinuteMin = 10;

/** A system that is still starting gives the button's pin to the program a while later: until then it is tried again. */
export const buttonRetryMs = 2000;
export const buttonOpenMs = 120_000;
/** A press that is found later than this after the program's start may have begun after power-on: it resets nothing. */
export const buttonPowerOnMs = 20_000;

/** How long the lamp of a disk blinks. */
export const locateMs = 60_000;

/** Disks smaller than this are boot partitions, firmware and memory cards of cameras, nothing to store in. */
export const diskBytesMin = 64 * 1024 * 1024;

/** A console that nobody typed at for so long asks for the PIN again. */
export const consoleIdleLockMs = 10 * 60_000;

/** What a console has written and nobody has taken; what comes then is left out, and counted. A serial line takes six seconds for it. */
export const consoleOutputBytesMax = 64 * 1024;

/** An answer is written in pieces, each once so little waits: Ctrl-C is obeyed after a second on a serial line, and news have room. */
export const consolePieceCharactersMax = 4 * 1024;
export const consoleOutputLowBytes = 12 * 1024;

/** A serial line that cannot be opened is tried again after this, then twice as long, at most a minute. */
export const serialRetryMsMin = 1000;
export const serialRetryMsMax = 60_000;

/** Consoles of members over the network; the oldest makes room. */
export const consoleSessionsMax = 8;

/** A desktop that asks nothing for so long has gone. */
export const consoleSessionIdleMs = 60_000;

/** How long one exchange waits for something to be written. */
export const consoleWaitMsMax = 10_000;

/** Serial lines of one box with a console on them. */
export const serialLinesMax = 8;

/** A disk of many terabytes gets its file system within this; one that takes longer is broken. */
export const formatTimeoutMs = 10 * 60_000;

/** A service manager hears at least this often that the program lives. */
export const supervisionTellMs = 5000;

/**
 * A start, which may check large disks, is given so much more time whenever it says that it goes on; until it has taken
 * so long that it hangs.
 */
export const supervisionPatienceMs = 60_000;
export const supervisionStartMsMax = 10 * 60_000;
/** A program that has not closed by then hangs, on a disk that does not answer. */
export const supervisionStopMsMax = 5 * 60_000;

/** What a card is told about itself when it is made: a serial number, a code. */
export const provisionedBytesMax = 4096;

/** How often the installer is asked how far it is. */
export const updateProgressMs = 500;

/** A slot is written to the slowest card within this; an installer that answers is waited for longer. */
export const updateInstallTimeoutMs = 60 * 60_000;

/** What the installer has done is asked so often, while it does not answer. */
export const updaterAnswersTriesMax = 10;

/** A restart that was asked for and did not come is asked for again. */
export const restartAgainMs = 2 * 60_000;

/** What a new version has to run without a crash before it is believed, and how long it may lack something. */
export const gateCrashFreeMs = 60_000;
export const gatePatienceMs = 10 * 60_000;

/** How often a new version is looked at, and whether the hour has come that was set for an update. */
export const gateLookMs = 5000;
export const updatePeriodMs = 30_000;

/** So long after its hour an update is tried again while the installer does not answer. */
export const updateHourPatienceMs = 15 * 60_000;

/** Twice what an update of today has; and what the card keeps free beside it, for the journal and the box's state. */
export const bundleBytesMax = 256 * 1024 * 1024;
export const bundleRoomBytes = 16 * 1024 * 1024;

/** A part of a bundle, as boxes and desktops send it: below a frame's payload. */
export const bundlePartBytes = 1024 * 1024;

/** How often other boxes are asked for a newer version, and the folder of memory sticks is looked into. */
export const updateOfferPeriodMs = 2 * 60_000;
export const stickLookMs = 5000;

/** An installer that does not answer is asked again after this, for ever; a person hears of it after so many times. */
export const updaterRetryMs = 3000;
export const updaterTriesQuiet = 10;
