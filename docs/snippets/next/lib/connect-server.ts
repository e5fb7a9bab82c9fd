// lib/connect-server.ts
import { createServer, type Server } from 'finix-bank-connect-server';

// One server for each process: development reloads this module, and the global object survives that.
const kept = globalThis as typeof globalThis & { connect?: Server };
kept.connect ??= createServer(process.env);
export const connect = kept.connect;
