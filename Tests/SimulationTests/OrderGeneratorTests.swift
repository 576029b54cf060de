import Formats
import Primitives
import Testing

@testable import Simulation

@Suite struct OrderGeneratorTests {
    static let generator = OrderGenerator(seed: 7, start: Sample.start, senders: Senders(count: 4, skew: 0))
    static let minute: Int64 = 60_000_000

    static func isObjectID(_ text: String) -> Bool {
        text.utf8.count == 24 && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
    }

    @Test func `the reference data keeps to its ranges`() throws {
        let reference = Self.generator.reference
        #expect(reference.users.count == 100 && reference.restaurants.count == 10)
        var ids: Set<String> = []
        for user in reference.users {
            let record = try Reader(user.bytes)
            ids.insert(try record.text("_id"))
            #expect(Self.isObjectID(try record.text("_id")))
            #expect(try !record.text("name").isEmpty && !record.text("login").isEmpty)
            #expect(try record.text("update_ts_utc").count == 19)
            #expect(0...365 * 86_400_000_000 ~= Sample.start - user.updatedAt)
        }
        #expect(Set(reference.users.map(\.login)).count == 100)
        var categories: Set<String> = []
        for restaurant in reference.restaurants {
            let record = try Reader(restaurant.bytes)
            ids.insert(try record.text("_id"))
            #expect(try record.text("update_ts_utc") == "2025-02-22 09:43:14")
            let count = try record.count("menu")
            #expect(5...15 ~= count)
            for item in 0..<count {
                ids.insert(try record.text("menu", item, "_id"))
                let price = try #require(try record.number("menu", item, "price").integer)
                #expect(100...1_000 ~= price)
                categories.insert(try record.text("menu", item, "category"))
            }
            #expect(Set(restaurant.menu.map(\.name)).count == count)
        }
        #expect(categories == ["Закуски", "Супы", "Основные блюда", "Гарниры", "Напитки"])
        #expect(ids.count == 110 + reference.restaurants.reduce(0) { $0 + $1.menu.count })
    }

    @Test func `loading the reference data again updates the same users and restaurants`() {
        let again = ReferenceGenerator(seed: 7, start: Sample.start + 86_400_000_000)
        #expect(again.users.map(\.id) == Self.generator.reference.users.map(\.id))
        #expect(again.restaurants.map(\.id) == Self.generator.reference.restaurants.map(\.id))
        let prices = Self.generator.reference.restaurants.map { $0.menu.map(\.price) }
        #expect(again.restaurants.map { $0.menu.map(\.price) } == prices)
        let other = ReferenceGenerator(seed: 8, start: Sample.start)
        #expect(Set(other.users.map(\.id)).isDisjoint(with: again.users.map(\.id)))
    }

    @Test func `20,000 orders keep to every range and no time is in the future`() throws {
        let reference = Self.generator.reference
        let menus = Dictionary(uniqueKeysWithValues: reference.restaurants.map { ($0.id, Set($0.menu.map(\.id))) })
        let users = Set(reference.users.map(\.id))
        let offsets: [String: Int64] = ["OPEN": 5, "COOKING": 20, "DELIVERING": 40, "CLOSED": 60, "CANCELLED": 65]
        var seen: [String: Set<String>] = [:]
        var ages: [Int64] = []
        for index in 0..<20_000 {
            let clock = Sample.start + Int64(index) * 10_000
            let orders = Self.generator.order(at: index, clock: clock, versioned: index % 2 == 0)
            #expect(index % 2 == 0 ? 2...3 ~= orders.count : orders.count == 1)
            var updates: [Int64] = []
            for order in orders {
                let record = try Reader(order.bytes)
                let restaurant = try record.text("payload", "restaurant", "id")
                let date = try record.time("payload", "date")
                ages.append(clock - date)
                #expect(users.contains(try record.text("payload", "user", "id")))
                seen["users", default: []].insert(try record.text("payload", "user", "id"))
                seen["restaurants", default: []].insert(restaurant)
                let count = try record.count("payload", "order_items")
                seen["items", default: []].insert("\(count)")
                var cost = Decimal(0)
                var items: Set<String> = []
                for item in 0..<count {
                    let quantity = try record.number("payload", "order_items", item, "quantity")
                    seen["quantity", default: []].insert(quantity.description)
                    let price = try record.number("payload", "order_items", item, "price")
                    cost = try #require(quantity.multiplied(by: price).flatMap(cost.adding))
                    items.insert(try record.text("payload", "order_items", item, "id"))
                }
                #expect(items.count == count && items.isSubset(of: menus[restaurant] ?? []))
                #expect(try record.number("payload", "cost") == cost)
                #expect(try record.number("payload", "payment") == cost)
                #expect(try record.text("object_type") == "order")
                let sent = try record.time("sent_dttm")
                #expect(sent <= clock)
                let steps = try record.count("payload", "statuses")
                var last: Int64 = 0
                for step in 0..<steps {
                    let name = try record.text("payload", "statuses", step, "status")
                    last = try record.time("payload", "statuses", step, "dttm")
                    #expect(last - date == (offsets[name] ?? 0) * Self.minute && last <= sent)
                    if step == steps - 1 {
                        #expect(try record.text("payload", "final_status") == name)
                        seen["status", default: []].insert(name)
                    }
                }
                let updated = try record.time("payload", "update_ts")
                #expect(updated == last)
                updates.append(updated)
            }
            #expect(Set(updates).count == updates.count && updates == updates.sorted(), "versions are newer")
            #expect(Set(orders.map(\.number)).count == 1)
        }
        #expect(try 10 * Self.minute <= #require(ages.min()) && #require(ages.max()) <= 120 * Self.minute)
        #expect(try #require(ages.min()) < 11 * Self.minute && #require(ages.max()) > 119 * Self.minute)
        #expect(seen["users"] == users && seen["restaurants"] == Set(menus.keys))
        #expect(seen["items"] == ["1", "2", "3"] && seen["quantity"] == Set((1...5).map(String.init)))
        #expect(seen["status"] == Set(offsets.keys))
    }

    @Test func `order numbers do not collide over a million orders`() {
        let numbers = ObjectNumbers(seed: 11)
        var used = [UInt64](repeating: 0, count: ObjectNumbers.count / 64 + 1)
        var collisions = 0
        // The least, the greatest, and the rest spread over the whole range.
        for step in 0..<1_000_000 {
            let number = numbers.number(at: step * 9 % ObjectNumbers.count)
            let (word, bit) = (number / 64, UInt64(1) << UInt64(number % 64))
            if !(0..<ObjectNumbers.count ~= number) || used[word] & bit != 0 { collisions += 1 }
            used[word] |= bit
        }
        #expect(collisions == 0)
        #expect((0..<100).map(numbers.number) != (0..<100).map(ObjectNumbers(seed: 12).number))
    }

    @Test func `a double encoded order is a text that holds the order, in ASCII`() throws {
        let order = Self.generator.order(at: 0, clock: Sample.start, versioned: false)[0].bytes
        let encoded = order.doubleEncoded()
        #expect(encoded.allSatisfy { 0x20...0x7E ~= $0 })
        #expect(try Reader(encoded).text() == String(decoding: order, as: UTF8.self))
    }
}
