// istanbul-lib-instrument 3.3.0
var cov_1dijbrr25z = function () {
  var path = "/src/counted.js";
  var hash = "aada87e44c83dcd622fb3d4b04e0a8610c4085f3";
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
    _coverageSchema: "43e27e138ebf9cfc5966b082cf9a028302ed4184",
    hash: "aada87e44c83dcd622fb3d4b04e0a8610c4085f3"
  };
  var coverage = global[gcv] || (global[gcv] = {});
  if (coverage[path] && coverage[path].hash === hash) {
    return coverage[path];
  }
  return coverage[path] = coverageData;
}();
cov_1dijbrr25z.s[0]++;
export const doubled = x => {
  cov_1dijbrr25z.f[0]++;
  cov_1dijbrr25z.s[1]++;
  return x * 2;
};
cov_1dijbrr25z.s[2]++;
export const make = () => {
  cov_1dijbrr25z.f[1]++;
  cov_1dijbrr25z.s[3]++;
  return x => {
    cov_1dijbrr25z.f[2]++;
    cov_1dijbrr25z.s[4]++;
    return x > 2 ? (cov_1dijbrr25z.b[0][0]++, doubled(x)) : (cov_1dijbrr25z.b[0][1]++, x);
  };
};