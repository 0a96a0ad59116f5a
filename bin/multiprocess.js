#!/usr/bin/env node
import { command } from '../dist/distributed/command/index.js';

process.exitCode = await command(process.argv.slice(2));
