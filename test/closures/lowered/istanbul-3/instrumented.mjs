// istanbul-lib-instrument 3.3.0
var cov_13qm1c6trd = function () {
  var path = "/src/instrumented.js";
  var hash = "86b68a3d5f0cb88a1669a5ad6e38965580946eab";
  var global = new Function("return this")();
  var gcv = "__coverage__";
  var coverageData = {
    path: "/src/instrumented.js",
    statementMap: {
      "0": {
        start: {
          line: 6,
          column: 12
        },
        end: {
          line: 6,
          column: 13
        }
      },
      "1": {
        start: {
          line: 7,
          column: 12
        },
        end: {
          line: 7,
          column: 25
        }
      },
      "2": {
        start: {
          line: 7,
          column: 18
        },
        end: {
          line: 7,
          column: 25
        }
      },
      "3": {
        start: {
          line: 8,
          column: 15
        },
        end: {
          line: 8,
          column: 41
        }
      },
      "4": {
        start: {
          line: 8,
          column: 23
        },
        end: {
          line: 8,
          column: 40
        }
      },
      "5": {
        start: {
          line: 9,
          column: 15
        },
        end: {
          line: 18,
          column: 1
        }
      },
      "6": {
        start: {
          line: 10,
          column: 4
        },
        end: {
          line: 11,
          column: 22
        }
      },
      "7": {
        start: {
          line: 11,
          column: 8
        },
        end: {
          line: 11,
          column: 22
        }
      },
      "8": {
        start: {
          line: 12,
          column: 4
        },
        end: {
          line: 17,
          column: 5
        }
      },
      "9": {
        start: {
          line: 14,
          column: 12
        },
        end: {
          line: 14,
          column: 21
        }
      },
      "10": {
        start: {
          line: 16,
          column: 12
        },
        end: {
          line: 16,
          column: 21
        }
      },
      "11": {
        start: {
          line: 19,
          column: 13
        },
        end: {
          line: 19,
          column: 39
        }
      },
      "12": {
        start: {
          line: 20,
          column: 16
        },
        end: {
          line: 20,
          column: 18
        }
      },
      "13": {
        start: {
          line: 23,
          column: 4
        },
        end: {
          line: 28,
          column: 5
        }
      },
      "14": {
        start: {
          line: 24,
          column: 8
        },
        end: {
          line: 24,
          column: 43
        }
      },
      "15": {
        start: {
          line: 27,
          column: 8
        },
        end: {
          line: 27,
          column: 30
        }
      },
      "16": {
        start: {
          line: 29,
          column: 4
        },
        end: {
          line: 29,
          column: 42
        }
      },
      "17": {
        start: {
          line: 32,
          column: 4
        },
        end: {
          line: 32,
          column: 67
        }
      },
      "18": {
        start: {
          line: 32,
          column: 35
        },
        end: {
          line: 32,
          column: 62
        }
      },
      "19": {
        start: {
          line: 33,
          column: 4
        },
        end: {
          line: 33,
          column: 74
        }
      },
      "20": {
        start: {
          line: 33,
          column: 42
        },
        end: {
          line: 33,
          column: 69
        }
      },
      "21": {
        start: {
          line: 34,
          column: 4
        },
        end: {
          line: 34,
          column: 51
        }
      },
      "22": {
        start: {
          line: 34,
          column: 35
        },
        end: {
          line: 34,
          column: 49
        }
      },
      "23": {
        start: {
          line: 35,
          column: 4
        },
        end: {
          line: 35,
          column: 68
        }
      },
      "24": {
        start: {
          line: 35,
          column: 53
        },
        end: {
          line: 35,
          column: 58
        }
      },
      "25": {
        start: {
          line: 36,
          column: 20
        },
        end: {
          line: 43,
          column: 64
        }
      },
      "26": {
        start: {
          line: 37,
          column: 8
        },
        end: {
          line: 37,
          column: 26
        }
      },
      "27": {
        start: {
          line: 38,
          column: 22
        },
        end: {
          line: 38,
          column: 107
        }
      },
      "28": {
        start: {
          line: 38,
          column: 82
        },
        end: {
          line: 38,
          column: 106
        }
      },
      "29": {
        start: {
          line: 39,
          column: 20
        },
        end: {
          line: 39,
          column: 73
        }
      },
      "30": {
        start: {
          line: 39,
          column: 26
        },
        end: {
          line: 39,
          column: 73
        }
      },
      "31": {
        start: {
          line: 39,
          column: 64
        },
        end: {
          line: 39,
          column: 69
        }
      },
      "32": {
        start: {
          line: 40,
          column: 23
        },
        end: {
          line: 40,
          column: 28
        }
      },
      "33": {
        start: {
          line: 41,
          column: 8
        },
        end: {
          line: 41,
          column: 14
        }
      },
      "34": {
        start: {
          line: 42,
          column: 8
        },
        end: {
          line: 42,
          column: 30
        }
      },
      "35": {
        start: {
          line: 44,
          column: 4
        },
        end: {
          line: 44,
          column: 62
        }
      },
      "36": {
        start: {
          line: 45,
          column: 4
        },
        end: {
          line: 45,
          column: 90
        }
      },
      "37": {
        start: {
          line: 45,
          column: 50
        },
        end: {
          line: 45,
          column: 72
        }
      },
      "38": {
        start: {
          line: 46,
          column: 4
        },
        end: {
          line: 46,
          column: 41
        }
      },
      "39": {
        start: {
          line: 47,
          column: 4
        },
        end: {
          line: 47,
          column: 27
        }
      },
      "40": {
        start: {
          line: 49,
          column: 0
        },
        end: {
          line: 49,
          column: 12
        }
      }
    },
    fnMap: {
      "0": {
        name: "(anonymous_0)",
        decl: {
          start: {
            line: 7,
            column: 12
          },
          end: {
            line: 7,
            column: 13
          }
        },
        loc: {
          start: {
            line: 7,
            column: 18
          },
          end: {
            line: 7,
            column: 25
          }
        },
        line: 7
      },
      "1": {
        name: "(anonymous_1)",
        decl: {
          start: {
            line: 8,
            column: 15
          },
          end: {
            line: 8,
            column: 16
          }
        },
        loc: {
          start: {
            line: 8,
            column: 23
          },
          end: {
            line: 8,
            column: 40
          }
        },
        line: 8
      },
      "2": {
        name: "(anonymous_2)",
        decl: {
          start: {
            line: 9,
            column: 15
          },
          end: {
            line: 9,
            column: 16
          }
        },
        loc: {
          start: {
            line: 9,
            column: 28
          },
          end: {
            line: 18,
            column: 1
          }
        },
        line: 9
      },
      "3": {
        name: "both",
        decl: {
          start: {
            line: 21,
            column: 15
          },
          end: {
            line: 21,
            column: 19
          }
        },
        loc: {
          start: {
            line: 21,
            column: 40
          },
          end: {
            line: 30,
            column: 1
          }
        },
        line: 21
      },
      "4": {
        name: "main",
        decl: {
          start: {
            line: 31,
            column: 15
          },
          end: {
            line: 31,
            column: 19
          }
        },
        loc: {
          start: {
            line: 31,
            column: 22
          },
          end: {
            line: 48,
            column: 1
          }
        },
        line: 31
      },
      "5": {
        name: "(anonymous_5)",
        decl: {
          start: {
            line: 32,
            column: 28
          },
          end: {
            line: 32,
            column: 29
          }
        },
        loc: {
          start: {
            line: 32,
            column: 35
          },
          end: {
            line: 32,
            column: 62
          }
        },
        line: 32
      },
      "6": {
        name: "(anonymous_6)",
        decl: {
          start: {
            line: 33,
            column: 35
          },
          end: {
            line: 33,
            column: 36
          }
        },
        loc: {
          start: {
            line: 33,
            column: 42
          },
          end: {
            line: 33,
            column: 69
          }
        },
        line: 33
      },
      "7": {
        name: "(anonymous_7)",
        decl: {
          start: {
            line: 34,
            column: 29
          },
          end: {
            line: 34,
            column: 30
          }
        },
        loc: {
          start: {
            line: 34,
            column: 35
          },
          end: {
            line: 34,
            column: 49
          }
        },
        line: 34
      },
      "8": {
        name: "(anonymous_8)",
        decl: {
          start: {
            line: 35,
            column: 45
          },
          end: {
            line: 35,
            column: 46
          }
        },
        loc: {
          start: {
            line: 35,
            column: 53
          },
          end: {
            line: 35,
            column: 58
          }
        },
        line: 35
      },
      "9": {
        name: "(anonymous_9)",
        decl: {
          start: {
            line: 36,
            column: 37
          },
          end: {
            line: 36,
            column: 38
          }
        },
        loc: {
          start: {
            line: 36,
            column: 56
          },
          end: {
            line: 43,
            column: 5
          }
        },
        line: 36
      },
      "10": {
        name: "(anonymous_10)",
        decl: {
          start: {
            line: 38,
            column: 68
          },
          end: {
            line: 38,
            column: 69
          }
        },
        loc: {
          start: {
            line: 38,
            column: 82
          },
          end: {
            line: 38,
            column: 106
          }
        },
        line: 38
      },
      "11": {
        name: "(anonymous_11)",
        decl: {
          start: {
            line: 39,
            column: 20
          },
          end: {
            line: 39,
            column: 21
          }
        },
        loc: {
          start: {
            line: 39,
            column: 26
          },
          end: {
            line: 39,
            column: 73
          }
        },
        line: 39
      },
      "12": {
        name: "(anonymous_12)",
        decl: {
          start: {
            line: 39,
            column: 54
          },
          end: {
            line: 39,
            column: 55
          }
        },
        loc: {
          start: {
            line: 39,
            column: 64
          },
          end: {
            line: 39,
            column: 69
          }
        },
        line: 39
      },
      "13": {
        name: "(anonymous_13)",
        decl: {
          start: {
            line: 45,
            column: 43
          },
          end: {
            line: 45,
            column: 44
          }
        },
        loc: {
          start: {
            line: 45,
            column: 50
          },
          end: {
            line: 45,
            column: 72
          }
        },
        line: 45
      }
    },
    branchMap: {
      "0": {
        loc: {
          start: {
            line: 8,
            column: 23
          },
          end: {
            line: 8,
            column: 40
          }
        },
        type: "cond-expr",
        locations: [{
          start: {
            line: 8,
            column: 31
          },
          end: {
            line: 8,
            column: 36
          }
        }, {
          start: {
            line: 8,
            column: 39
          },
          end: {
            line: 8,
            column: 40
          }
        }],
        line: 8
      },
      "1": {
        loc: {
          start: {
            line: 10,
            column: 4
          },
          end: {
            line: 11,
            column: 22
          }
        },
        type: "if",
        locations: [{
          start: {
            line: 10,
            column: 4
          },
          end: {
            line: 11,
            column: 22
          }
        }, {
          start: {
            line: 10,
            column: 4
          },
          end: {
            line: 11,
            column: 22
          }
        }],
        line: 10
      },
      "2": {
        loc: {
          start: {
            line: 10,
            column: 8
          },
          end: {
            line: 10,
            column: 14
          }
        },
        type: "binary-expr",
        locations: [{
          start: {
            line: 10,
            column: 8
          },
          end: {
            line: 10,
            column: 9
          }
        }, {
          start: {
            line: 10,
            column: 13
          },
          end: {
            line: 10,
            column: 14
          }
        }],
        line: 10
      },
      "3": {
        loc: {
          start: {
            line: 11,
            column: 15
          },
          end: {
            line: 11,
            column: 21
          }
        },
        type: "binary-expr",
        locations: [{
          start: {
            line: 11,
            column: 15
          },
          end: {
            line: 11,
            column: 16
          }
        }, {
          start: {
            line: 11,
            column: 20
          },
          end: {
            line: 11,
            column: 21
          }
        }],
        line: 11
      },
      "4": {
        loc: {
          start: {
            line: 12,
            column: 4
          },
          end: {
            line: 17,
            column: 5
          }
        },
        type: "switch",
        locations: [{
          start: {
            line: 13,
            column: 8
          },
          end: {
            line: 14,
            column: 21
          }
        }, {
          start: {
            line: 15,
            column: 8
          },
          end: {
            line: 16,
            column: 21
          }
        }],
        line: 12
      }
    },
    s: {
      "0": 0,
      "1": 0,
      "2": 0,
      "3": 0,
      "4": 0,
      "5": 0,
      "6": 0,
      "7": 0,
      "8": 0,
      "9": 0,
      "10": 0,
      "11": 0,
      "12": 0,
      "13": 0,
      "14": 0,
      "15": 0,
      "16": 0,
      "17": 0,
      "18": 0,
      "19": 0,
      "20": 0,
      "21": 0,
      "22": 0,
      "23": 0,
      "24": 0,
      "25": 0,
      "26": 0,
      "27": 0,
      "28": 0,
      "29": 0,
      "30": 0,
      "31": 0,
      "32": 0,
      "33": 0,
      "34": 0,
      "35": 0,
      "36": 0,
      "37": 0,
      "38": 0,
      "39": 0,
      "40": 0
    },
    f: {
      "0": 0,
      "1": 0,
      "2": 0,
      "3": 0,
      "4": 0,
      "5": 0,
      "6": 0,
      "7": 0,
      "8": 0,
      "9": 0,
      "10": 0,
      "11": 0,
      "12": 0,
      "13": 0
    },
    b: {
      "0": [0, 0],
      "1": [0, 0],
      "2": [0, 0],
      "3": [0, 0],
      "4": [0, 0]
    },
    _coverageSchema: "43e27e138ebf9cfc5966b082cf9a028302ed4184",
    hash: "86b68a3d5f0cb88a1669a5ad6e38965580946eab"
  };
  var coverage = global[gcv] || (global[gcv] = {});
  if (coverage[path] && coverage[path].hash === hash) {
    return coverage[path];
  }
  return coverage[path] = coverageData;
}();
import { Pool } from 'multiprocess';
import { dumps } from 'multiprocess/reduction';
import { doubled, make } from './counted.mjs';
let count = (cov_13qm1c6trd.s[0]++, 0);
cov_13qm1c6trd.s[1]++;
const inc = () => {
  cov_13qm1c6trd.f[0]++;
  cov_13qm1c6trd.s[2]++;
  return ++count;
};
cov_13qm1c6trd.s[3]++;
const helper = x => {
  cov_13qm1c6trd.f[1]++;
  cov_13qm1c6trd.s[4]++;
  return x > 1 ? (cov_13qm1c6trd.b[0][0]++, x * 2) : (cov_13qm1c6trd.b[0][1]++, x);
};
cov_13qm1c6trd.s[5]++;
const unused = (a, b, c) => {
  cov_13qm1c6trd.f[2]++;
  cov_13qm1c6trd.s[6]++;
  if ((cov_13qm1c6trd.b[2][0]++, a) && (cov_13qm1c6trd.b[2][1]++, b)) {
    cov_13qm1c6trd.b[1][0]++;
    cov_13qm1c6trd.s[7]++;
    return (cov_13qm1c6trd.b[3][0]++, c) || (cov_13qm1c6trd.b[3][1]++, a);
  } else {
    cov_13qm1c6trd.b[1][1]++;
  }
  cov_13qm1c6trd.s[8]++;
  switch (a) {
    case 1:
      cov_13qm1c6trd.b[4][0]++;
      cov_13qm1c6trd.s[9]++;
      return b;
    default:
      cov_13qm1c6trd.b[4][1]++;
      cov_13qm1c6trd.s[10]++;
      return c;
  }
};
const pool = (cov_13qm1c6trd.s[11]++, new Pool({
  processes: 1
}));
const results = (cov_13qm1c6trd.s[12]++, {});
async function both(title, fn, ...args) {
  cov_13qm1c6trd.f[3]++;
  let there;
  cov_13qm1c6trd.s[13]++;
  try {
    cov_13qm1c6trd.s[14]++;
    there = await pool.apply(fn, args);
  } catch (error) {
    cov_13qm1c6trd.s[15]++;
    there = String(error);
  }
  cov_13qm1c6trd.s[16]++;
  results[title] = [fn(...args), there];
}
async function main() {
  cov_13qm1c6trd.f[4]++;
  cov_13qm1c6trd.s[17]++;
  await both('a closure', x => {
    cov_13qm1c6trd.f[5]++;
    cov_13qm1c6trd.s[18]++;
    return helper(x) + unused(1, 0, 3);
  }, 3);
  cov_13qm1c6trd.s[19]++;
  await both('a closure, again', x => {
    cov_13qm1c6trd.f[6]++;
    cov_13qm1c6trd.s[20]++;
    return helper(x) + unused(1, 2, 3);
  }, 1);
  cov_13qm1c6trd.s[21]++;
  await both('a variable', () => {
    cov_13qm1c6trd.f[7]++;
    cov_13qm1c6trd.s[22]++;
    return [inc(), count];
  });
  cov_13qm1c6trd.s[23]++;
  await both('a function of another file', fn => {
    cov_13qm1c6trd.f[8]++;
    cov_13qm1c6trd.s[24]++;
    return fn(4);
  }, make());
  const counted = (cov_13qm1c6trd.s[25]++, await pool.apply(async (fn, url) => {
    cov_13qm1c6trd.f[9]++;
    cov_13qm1c6trd.s[26]++;
    await import(url);
    const [own] = (cov_13qm1c6trd.s[27]++, Object.values(globalThis.__coverage__).filter(({
      path
    }) => {
      cov_13qm1c6trd.f[10]++;
      cov_13qm1c6trd.s[28]++;
      return path.includes('counted');
    }));
    cov_13qm1c6trd.s[29]++;
    const sum = () => {
      cov_13qm1c6trd.f[11]++;
      cov_13qm1c6trd.s[30]++;
      return Object.values(own.f).reduce((a, b) => {
        cov_13qm1c6trd.f[12]++;
        cov_13qm1c6trd.s[31]++;
        return a + b;
      }, 0);
    };
    const before = (cov_13qm1c6trd.s[32]++, sum());
    cov_13qm1c6trd.s[33]++;
    fn(5);
    cov_13qm1c6trd.s[34]++;
    return sum() - before;
  }, [make(), new URL('./counted.mjs', import.meta.url).href]));
  cov_13qm1c6trd.s[35]++;
  results['counts where its file is loaded'] = [2, counted];
  cov_13qm1c6trd.s[36]++;
  results['without maps'] = [true, dumps(x => {
    cov_13qm1c6trd.f[13]++;
    cov_13qm1c6trd.s[37]++;
    return helper(x) + doubled(x);
  }).length < 4_000];
  cov_13qm1c6trd.s[38]++;
  console.log(JSON.stringify(results));
  cov_13qm1c6trd.s[39]++;
  await pool.terminate();
}
cov_13qm1c6trd.s[40]++;
void main();