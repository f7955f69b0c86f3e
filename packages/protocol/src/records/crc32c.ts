/** The polynomial of Castagnoli, bits reversed. */
const polynomial = 0x82f63b78;

/**
 * Slicing-by-16: `tables[k][b]` is what byte `b` adds to the checksum when `k` bytes follow it. The arrays stand
 * here as constants, so that the compiler knows their addresses and lengths; they are filled on first use.
 */
const tables = Array.from({ length: 16 }, () => new Int32Array(256));
const [
  t0 = new Int32Array(256),
  t1 = t0,
  t2 = t0,
  t3 = t0,
  t4 = t0,
  t5 = t0,
  t6 = t0,
  t7 = t0,
  t8 = t0,
  t9 = t0,
  t10 = t0,
  t11 = t0,
  t12 = t0,
  t13 = t0,
  t14 = t0,
  t15 = t0,
] = tables;
