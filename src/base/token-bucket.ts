/** Lets `perSecond` events pass for as long as one likes, and `burst` of them at once. */
export interface BucketSize {
  readonly perSecond: number;
  readonly burst: number;
}

export interface TokenBucket {
  readonly tokens: number;
  readonly atMs: number;
}

export function fullBucket({ burst }: BucketSize, now: number): TokenBucket {
  return { tokens: burst, atMs: now };
}

/** The bucket with one token less, or undefined when there is none. */
export function takeToken(bucket: TokenBucket, size: BucketSize, now: number): TokenBucket | undefined {
  const gained = (Math.max(0, now - bucket.atMs) * size.perSecond) / 1000;
  const tokens = Math.min(size.burst, bucket.tokens + gained);
  return tokens < 1 ? undefined : { tokens: tokens - 1, atMs: now };
}
