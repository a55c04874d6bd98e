-- SPDX-License-Identifier: MIT
--
-- milter.lua: shows the milter protocol, versions 2 to 6, in Wireshark.
--
--	tshark -X lua_script:milter.lua -o milter.ports:10025 -r FILE
--	wireshark -X lua_script:milter.lua	(Preferences, Protocols, MILTER)
--
-- There is no port of its own: tell it where your filters listen.  What comes
-- to such a port is taken for commands, what leaves it for replies.  Octets
-- that are not as docs/protocol.md says are shown and marked, never refused.
-- The tables between marks are made from the library's list by make generate.

local milter = Proto("milter", "Milter protocol")
milter.prefs.ports = Pref.range("TCP ports", "10025", "Where filters listen",
    65535)

-- ---- tables -------------------------------------------------------------

local commands = {
-- generated: lua-commands
	[0x4f] = "OPTNEG",
	[0x44] = "MACRO",
	[0x43] = "CONNECT",
	[0x48] = "HELO",
	[0x4d] = "MAIL",
	[0x52] = "RCPT",
	[0x54] = "DATA",
	[0x4c] = "HEADER",
	[0x4e] = "EOH",
	[0x42] = "BODY",
	[0x45] = "EOM",
	[0x41] = "ABORT",
	[0x55] = "UNKNOWN",
	[0x51] = "QUIT",
	[0x4b] = "QUIT_NC",
-- end
}

-- Name, and what the payload is.
local replies = {
-- generated: lua-replies
	[0x63] = { "CONTINUE", "empty" },
	[0x61] = { "ACCEPT", "empty" },
	[0x72] = { "REJECT", "empty" },
	[0x74] = { "TEMPFAIL", "empty" },
	[0x64] = { "DISCARD", "empty" },
	[0x79] = { "REPLYCODE", "code" },
	[0x73] = { "SKIP", "empty" },
	[0x70] = { "PROGRESS", "empty" },
	[0x68] = { "ADDHEADER", "header" },
	[0x69] = { "INSHEADER", "index" },
	[0x6d] = { "CHGHEADER", "index" },
	[0x62] = { "REPLBODY", "raw" },
	[0x2b] = { "ADDRCPT", "text" },
	[0x32] = { "ADDRCPT_PAR", "address" },
	[0x2d] = { "DELRCPT", "text" },
	[0x65] = { "CHGFROM", "address" },
	[0x71] = { "QUARANTINE", "text" },
	[0x4f] = { "OPTNEG", "options" },
	[0x34] = { "SHUTDOWN", "never" },
	[0x66] = { "CONN_FAIL", "never" },
	[0x6c] = { "SETSYMLIST", "never" },
-- end
}

local actions = {
-- generated: lua-actions
	{ 0x00000001, "ADDHDRS" },
	{ 0x00000002, "CHGBODY" },
	{ 0x00000004, "ADDRCPT" },
	{ 0x00000008, "DELRCPT" },
	{ 0x00000010, "CHGHDRS" },
	{ 0x00000020, "QUARANTINE" },
	{ 0x00000040, "CHGFROM" },
	{ 0x00000080, "ADDRCPT_PAR" },
	{ 0x00000100, "SETSYMLIST" },
-- end
}

local protocol = {
-- generated: lua-protocol
	{ 0x00000001, "NO_CONNECT" },
	{ 0x00000002, "NO_HELO" },
	{ 0x00000004, "NO_MAIL" },
	{ 0x00000008, "NO_RCPT" },
	{ 0x00000010, "NO_BODY" },
	{ 0x00000020, "NO_HDRS" },
	{ 0x00000040, "NO_EOH" },
	{ 0x00000080, "NR_HDR" },
	{ 0x00000100, "NO_UNKNOWN" },
	{ 0x00000200, "NO_DATA" },
	{ 0x00000400, "SKIP" },
	{ 0x00000800, "RCPT_REJ" },
	{ 0x00001000, "NR_CONN" },
	{ 0x00002000, "NR_HELO" },
	{ 0x00004000, "NR_MAIL" },
	{ 0x00008000, "NR_RCPT" },
	{ 0x00010000, "NR_DATA" },
	{ 0x00020000, "NR_UNKN" },
	{ 0x00040000, "NR_EOH" },
	{ 0x00080000, "NR_BODY" },
	{ 0x00100000, "HDR_LEADSPC" },
	{ 0x10000000, "MDS_256K" },
	{ 0x20000000, "MDS_1M" },
-- end
}

local stages = {
-- generated: lua-stages
	[0] = "CONNECT",
	[1] = "HELO",
	[2] = "MAIL",
	[3] = "RCPT",
	[4] = "DATA",
	[6] = "EOH",
	[5] = "EOM",
-- end
}

local limits = {
-- generated: lua-limits
	VERSION_MIN = 2,
	VERSION_MAX = 6,
	DATA_MAX = 65535,
	DATA_MAX_256K = 262143,
	DATA_MAX_1M = 1048575,
	BODY_MAX = 65535,
	REPLY_DATA_MAX = 1048576,
	REPLY_LINE_MAX = 980,
	REPLY_LINES_MAX = 32,
	MACRO_BYTES_MAX = 65536,
-- end
}
local longest_frame = 1 + math.max(limits.DATA_MAX_1M, limits.REPLY_DATA_MAX)

local families = { U = "unknown", L = "local", ["4"] = "IPv4", ["6"] = "IPv6" }

-- ---- fields -------------------------------------------------------------

local reply_names = {}
for octet, reply in pairs(replies) do
	reply_names[octet] = reply[1]
end

local field = {
	length = ProtoField.uint32("milter.length", "Length"),
	command = ProtoField.uint8("milter.command", "Command", base.HEX,
	    commands),
	reply = ProtoField.uint8("milter.reply", "Reply", base.HEX,
	    reply_names),
	version = ProtoField.uint32("milter.version", "Version"),
	actions = ProtoField.uint32("milter.actions", "Actions", base.HEX),
	protocol = ProtoField.uint32("milter.protocol", "Protocol", base.HEX),
	stage = ProtoField.uint32("milter.stage", "Stage", base.DEC, stages),
	macro_list = ProtoField.string("milter.macro_list", "Macros wanted"),
	macro_for = ProtoField.uint8("milter.macro_for", "Macros for", base.HEX,
	    commands),
	macro = ProtoField.string("milter.macro", "Macro"),
	macro_name = ProtoField.string("milter.macro.name", "Name"),
	macro_value = ProtoField.string("milter.macro.value", "Value"),
	host = ProtoField.string("milter.host", "Host"),
	family = ProtoField.string("milter.family", "Family"),
	port = ProtoField.uint16("milter.port", "Port"),
	address = ProtoField.string("milter.address", "Address"),
	parameter = ProtoField.string("milter.parameter", "Parameter"),
	index = ProtoField.uint32("milter.index", "Index"),
	name = ProtoField.string("milter.header.name", "Header name"),
	value = ProtoField.string("milter.header.value", "Header value"),
	text = ProtoField.string("milter.text", "Text"),
	data = ProtoField.bytes("milter.data", "Data"),
}

-- A field for each bit, in the order of the table.
local function bit_fields(abbreviation, bits)
	local list = {}
	for i, bit in ipairs(bits) do
		list[i] = ProtoField.bool(
		    abbreviation .. "." .. bit[2]:lower(), bit[2], 32, nil,
		    bit[1])
	end
	return list
end
local action_fields = bit_fields("milter.actions", actions)
local protocol_fields = bit_fields("milter.protocol", protocol)

local all = {}
for _, list in ipairs({ action_fields, protocol_fields }) do
	for _, f in ipairs(list) do
		all[#all + 1] = f
	end
end
for _, f in pairs(field) do
	all[#all + 1] = f
end
milter.fields = all

local bad = ProtoExpert.new("milter.bad", "Not as the protocol says",
    expert.group.PROTOCOL, expert.severity.WARN)
milter.experts = { bad }

-- ---- pieces of a payload ------------------------------------------------

-- What is left of a frame's payload; take_ functions move `at` on.
local payload = {}
payload.__index = payload

function payload:left()
	return self.range:len() - self.at
end

function payload:complain(what)
	self.tree:add_proto_expert_info(bad, what)
end

-- The next n octets as a field; nil and a complaint if there are fewer.
function payload:take(f, n, tree)
	if self:left() < n then
		self:complain("cut off")
		self.at = self.range:len()
		return nil
	end
	local r = self.range(self.at, n)
	self.at = self.at + n
	return r, (tree or self.tree):add(f, r)
end

-- The next string and its NUL.
function payload:take_string(f, tree)
	local n = self:left()
	local raw = n > 0 and self.range:raw(self.at, n) or ""
	local zero = raw:find("\0", 1, true)
	if not zero then
		self:complain("string without NUL")
	end
	zero = zero or n + 1
	local text = raw:sub(1, zero - 1)
	local r = n > 0 and self.range(self.at, math.min(zero, n))
	self.at = self.at + math.min(zero, n)
	tree = tree or self.tree
	return text, r and tree:add(f, r, text) or tree:add(f, text)
end

function payload:take_bits(f, bits)
	local r, item = self:take(f, 4)
	for _, b in ipairs(r and bits or {}) do
		item:add(b, r)
	end
end

-- ---- payloads of commands, by name --------------------------------------

local function options(p)
	p:take(field.version, 4)
	p:take_bits(field.actions, action_fields)
	p:take_bits(field.protocol, protocol_fields)
	while p:left() > 0 do
		if p:take(field.stage, 4) then
			p:take_string(field.macro_list)
		end
	end
end

local function macros(p)
	p:take(field.macro_for, 1)
	while p:left() > 0 do
		local start = p.at
		local item = p.tree:add(field.macro, p.range(start), "")
		local name = p:take_string(field.macro_name, item)
		local value = p:take_string(field.macro_value, item)
		item:set_text("Macro: " .. name .. " = " .. value)
		item:set_len(p.at - start)
	end
end

local function connect(p)
	p:take_string(field.host)
	if p:left() == 0 then
		return p:complain("no family")
	end
	local r, item = p:take(field.family, 1)
	local family = families[r:string()]
	if not family then
		return p:complain("unknown family")
	end
	item:append_text(" (" .. family .. ")")
	if r:string() ~= "U" then
		p:take(field.port, 2)
		p:take_string(field.address)
	end
end

local function envelope(p)
	p:take_string(field.address)
	while p:left() > 0 do
		p:take_string(field.parameter)
	end
end

local function header(p)
	p:take_string(field.name)
	p:take_string(field.value)
end

local function text(p)
	p:take_string(field.text)
end

local function data(p)
	if p:left() > 0 then
		p:take(field.data, p:left())
	end
end

local command_payload = {
	OPTNEG = options,
	MACRO = macros,
	CONNECT = connect,
	HELO = text,
	MAIL = envelope,
	RCPT = envelope,
	HEADER = header,
	BODY = data,
	EOM = data,
	UNKNOWN = text,
}

-- ---- payloads of replies, by the kind that the list gives ---------------

local reply_payload = {
	empty = function() end,
	code = text,
	header = header,
	index = function(p)
		p:take(field.index, 4)
		header(p)
	end,
	raw = data,
	text = text,
	address = envelope,
	options = options,
	never = function(p)
		p:complain("reserved, never used")
	end,
}

-- ---- frames -------------------------------------------------------------

-- A frame's name, what dissects its payload, and the field of its octet.
local function look_up(octet, from_mta)
	if from_mta then
		local name = commands[octet]
		return name, name and command_payload[name], field.command
	end
	local reply = replies[octet]
	return reply and reply[1], reply and reply_payload[reply[2]],
	    field.reply
end

local function dissect_frame(range, pinfo, root)
	local from_mta = pinfo.dst_port == pinfo.match_uint
	local way = from_mta and ">" or "<"
	local tree = root:add(milter, range)
	tree:add(field.length, range(0, 4))
	if range:len() < 5 or range(0, 4):uint() ~= range:len() - 4 then
		tree:add_proto_expert_info(bad, "length of the frame")
		pinfo.cols.info:append(way .. "? ")
		return range:len()
	end
	local octet = range(4, 1)
	local name, dissect, octet_field = look_up(octet:uint(), from_mta)
	tree:add(octet_field, octet)
	tree:append_text(", " .. (name or "unknown"))
	pinfo.cols.info:append(way .. (name or "?") .. " ")
	if not name then
		tree:add_proto_expert_info(bad, "unknown octet")
	end

	local p = setmetatable({ range = range, at = 5, tree = tree }, payload)
	if dissect then
		dissect(p)
	end
	if p:left() > 0 then
		p:take(field.data, p:left())
		if name and name ~= "CONNECT" then
			p:complain("octets behind the payload")
		end
	end
	return range:len()
end

-- A length that nobody accepts would have us wait for ever: everything that is
-- there then is one bad frame.
local function frame_length(buffer, _, offset)
	local n = buffer(offset, 4):uint()
	if n == 0 or n > longest_frame then
		return buffer:len() - offset
	end
	return 4 + n
end

function milter.dissector(buffer, pinfo, root)
	pinfo.cols.protocol = "MILTER"
	pinfo.cols.info = ""
	dissect_tcp_pdus(buffer, root, 4, frame_length, dissect_frame)
	return buffer:len()
end

-- ---- where it is used ---------------------------------------------------

local tcp = DissectorTable.get("tcp.port")
local ports

local function listen()
	if ports and ports ~= "" then
		tcp:remove(ports, milter)
	end
	ports = milter.prefs.ports
	if ports ~= "" then
		tcp:add(ports, milter)
	end
end

listen()
milter.prefs_changed = listen
