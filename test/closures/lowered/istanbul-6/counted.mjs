// istanbul-lib-instrument 6.0.3
function cov_1dijbrr25z() {
  var path = "/src/counted.js";
  var hash = "668d250b66af7415e93706712c6ef2f1dc35d085";
  var global = new Function("return this")();
  var gcv = "__coverage__";
  var coverageData = {
    path: "/src/counted.js",
    statementMap: {
      "0": {
        start: {
          line: 3,
          column: 23
        },
        end: {
          line: 3,
          column: 35
        }
      },
      "1": {
        start: {
          line: 3,
          column: 30
        },
        end: {
          line: 3,
          column: 35
        }
      },
      "2": {
        start: {
          line: 4,
          column: 20
        },
        end: {
          line: 4,
          column: 57
        }
      },
      "3": {
        start: {
          line: 4,
          column: 26
        },
        end: {
          line: 4,
          column: 57
        }
      },
      "4": {
        start: {
          line: 4,
          column: 34
        },
        end: {
          line: 4,
          column: 56
        }
      }
    },
    fnMap: {
      "0": {
        name: "(anonymous_0)",
        decl: {
          start: {
            line: 3,
            column: 23
          },
          end: {
            line: 3,
            column: 24
          }
        },
        loc: {
          start: {
            line: 3,
            column: 30
          },
          end: {
            line: 3,
            column: 35
          }
        },
        line: 3
      },
      "1": {
        name: "(anonymous_1)",
        decl: {
          start: {
            line: 4,
            column: 20
          },
          end: {
            line: 4,
            column: 21
          }
        },
        loc: {
          start: {
            line: 4,
            column: 26
          },
          end: {
            line: 4,
            column: 57
          }
        },
        line: 4
      },
      "2": {
        name: "(anonymous_2)",
        decl: {
          start: {
            line: 4,
            column: 26
          },
          end: {
            line: 4,
            column: 27
          }
        },
        loc: {
          start: {
            line: 4,
            column: 34
          },
          end: {
            line: 4,
            column: 56
          }
        },
        line: 4
      }
    },
    branchMap: {
      "0": {
        loc: {
          start: {
            line: 4,
            column: 34
          },
          end: {
            line: 4,
            column: 56
          }
        },
        type: "cond-expr",
        locations: [{
          start: {
            line: 4,
            column: 42
          },
          end: {
            line: 4,
            column: 52
          }
        }, {
          start: {
            line: 4,
            column: 55
          },
          end: {
            line: 4,
            column: 56
          }
        }],
        line: 4
      }
    },
    s: {
      "0": 0,
      "1": 0,
      "2": 0,
      "3": 0,
      "4": 0
    },
    f: {
      "0": 0,
      "1": 0,
      "2": 0
    },
    b: {
      "0": [0, 0]
    },
    _coverageSchema: "1a1c01bbd47fc00a2c39e90264f33305004495a9",
    hash: "668d250b66af7415e93706712c6ef2f1dc35d085"
  };
  var coverage = global[gcv] || (global[gcv] = {});
  if (!coverage[path] || coverage[path].hash !== hash) {
    coverage[path] = coverageData;
  }
  var actualCoverage = coverage[path];
  {
    // @ts-ignore
    cov_1dijbrr25z = function () {
      return actualCoverage;
    };
  }
  return actualCoverage;
}
cov_1dijbrr25z();
cov_1dijbrr25z().s[0]++;
// @ts-nocheck: compiled by other means
// Instrumented, and loaded by the worker as well.
export const doubled = x => {
  cov_1dijbrr25z().f[0]++;
  cov_1dijbrr25z().s[1]++;
  return x * 2;
};
cov_1dijbrr25z().s[2]++;
export const make = () => {
  cov_1dijbrr25z().f[1]++;
  cov_1dijbrr25z().s[3]++;
  return x => {
    cov_1dijbrr25z().f[2]++;
    cov_1dijbrr25z().s[4]++;
    return x > 2 ? (cov_1dijbrr25z().b[0][0]++, doubled(x)) : (cov_1dijbrr25z().b[0][1]++, x);
  };
};