package import Primitives

/// Fields in order, found without allocation: CSV columns by name, JSON members by the objects that hold them.
package final class FieldTable: Sendable {
    package let fields: [Field]
    /// Names and aliases, and whole places (`payload.user.id`) of fields with `at`.
    private let columns: NameTable
    /// The JSON objects that hold the fields: first the event or row itself, then the ones inside it that a place leads
    /// through. Most contracts have one.
    package let objects: [ObjectPlace]

    /// Names, aliases and places must be distinct; of two equal ones the first is found.
    package init(_ declared: [FieldDeclaration]) {
        let fields = declared.map(Field.init)
        self.fields = fields
        var columns: [(name: String, value: Int)] = []
        var tree = ObjectTree(list: fields.first?.list)
        for (index, field) in fields.enumerated() {
            for name in [field.place.joined(separator: ".")] + field.aliases { columns.append((name, index)) }
            tree.add(index, field)
        }
        self.columns = NameTable(columns)
        objects = tree.objects()
    }

    package var count: Int { fields.count }

    /// Whether the field at `index` is a list, which only the decoder can read.
    package func isList(_ index: Int) -> Bool { fields[index].type == .list }

    /// ``Field/read(_:row:)`` of the field at `index`; not for lists.
    package func read(_ index: Int, _ raw: RawValue, row: Int? = nil) -> FieldReading {
        fields[index].read(raw, row: row)
    }

    /// The position of the field that a CSV column of this name fills. Complexity: O(name), no allocation.
    package func index(of name: ArraySlice<UInt8>) -> Int? { columns.value(of: name) }
    package func index(of name: ByteString) -> Int? { index(of: name.bytes[...]) }
    package func index(of name: String) -> Int? { index(of: Array(name.utf8)[...]) }
}

/// One JSON object that fields are in.
package final class ObjectPlace: Sendable {
    /// What a member of the object is.
    package enum Member: Sendable, Equatable {
        case field(Int)
        /// Index in ``FieldTable/objects``.
        case object(Int)
    }

    /// Members of the objects that lead to it; empty for the event or row itself.
    package let place: [String]
    /// Path of the list whose rows it is in.
    package let list: String?
    /// Every field in it, at any depth.
    package let fields: [Int]
    /// Fields at or above zero, objects as the complement of their index.
    private let members: NameTable

    fileprivate init(place: [String], list: String?, fields: [Int], members: NameTable) {
        self.place = place
        self.list = list
        self.fields = fields
        self.members = members
    }

    /// Complexity: O(name), no allocation.
    package func member(_ name: ArraySlice<UInt8>) -> Member? {
        guard let value = members.value(of: name) else { return nil }
        return value < 0 ? .object(~value) : .field(value)
    }

    /// `payload.user`, and for one in a list with its row: `lines[2].price`.
    package func shownName(_ row: Int?) -> String { PathText.shown(place, list: list, row: row) }
}

enum PathText {
    static func shown(_ place: [String], list: String?, row: Int?) -> String {
        guard let list else { return place.joined(separator: ".") }
        let head = row.map { "\(list)[\($0)]" } ?? list
        return ([head] + place).joined(separator: ".")
    }
}

/// Collects the objects that places lead through.
private struct ObjectTree {
    private var places: [[String]] = [[]]
    private var members: [[(name: String, value: Int)]] = [[]]
    private var fields: [[Int]] = [[]]
    private var known: [[String]: Int] = [[]: 0]
    private let list: String?

    init(list: String?) { self.list = list }

    mutating func add(_ index: Int, _ field: Field) {
        guard let last = field.place.last else { return }
        var object = 0
        fields[0].append(index)
        for depth in 1..<max(1, field.place.count) {
            let place = Array(field.place[..<depth])
            if let next = known[place] {
                object = next
            } else {
                let next = places.count
                known[place] = next
                members[object].append((field.place[depth - 1], ~next))
                places.append(place)
                members.append([])
                fields.append([])
                object = next
            }
            fields[object].append(index)
        }
        for name in [last] + field.aliases { members[object].append((name, index)) }
    }

    func objects() -> [ObjectPlace] {
        places.indices.map {
            ObjectPlace(place: places[$0], list: list, fields: fields[$0], members: NameTable(members[$0]))
        }
    }
}

/// Numbers by name, found without allocation.
final class NameTable: Sendable {
    /// Numbers only, so that a look-up counts no references.
    private struct Entry: Sendable {
        /// Of the name in `text`.
        let start: Int, count: Int
        let value: Int
        /// The next entry of its bucket; -1 ends.
        var next: Int
    }

    /// All names, one behind the other.
    private let text: [UInt8]
    private let entries: [Entry]
    /// First entry per bucket; -1 for none.
    private let heads: [Int16]

    init(_ named: [(name: String, value: Int)]) {
        var text: [UInt8] = []
        var entries: [Entry] = []
        for (name, value) in named {
            entries.append(Entry(start: text.count, count: name.utf8.count, value: value, next: -1))
            text += name.utf8
        }
        var heads = [Int16](repeating: -1, count: 256)
        for index in entries.indices.reversed() {
            let entry = entries[index]
            let bucket = Self.bucket(text[entry.start..<entry.start + entry.count])
            entries[index].next = Int(heads[bucket])
            heads[bucket] = Int16(index)
        }
        self.text = text
        self.entries = entries
        self.heads = heads
    }

    private static func bucket(_ name: ArraySlice<UInt8>) -> Int {
        guard let first = name.first, let last = name.last else { return 0 }
        return (name.count &* 37 &+ Int(first) &* 5 &+ Int(last)) & 255
    }

    func value(of name: ArraySlice<UInt8>) -> Int? {
        var index = Int(heads[Self.bucket(name)])
        while index >= 0 {
            let entry = entries[index]
            if entry.count == name.count, name.isEqual(to: text, at: entry.start) { return entry.value }
            index = entry.next
        }
        return nil
    }
}
