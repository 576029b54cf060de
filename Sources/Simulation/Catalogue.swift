/// The products of the simulated shops: fixed names, prices and ids.
package enum Catalogue {
    package struct Product: Sendable {
        package let id: String
        package let name: String
        /// EUR, hundredths.
        package let price: Int
    }

    package static let products: [Product] = zip(1..., list).map { number, entry in
        Product(id: number < 10 ? "P00\(number)" : "P0\(number)", name: entry.0, price: entry.1)
    }

    private static let list: [(String, Int)] = [
        ("Milch - 1L", 129), ("Brot", 199), ("Butter - 250g", 229), ("Eier - 10 Stück", 249), ("Joghurt natur", 89),
        ("Quark - 500g", 159), ("Gouda - 400g", 349), ("Frischkäse", 119), ("Sahne - 200ml", 99), ("Mozzarella", 109),
        ("Äpfel - 1kg", 279), ("Bananen - 1kg", 189), ("Orangen - 2kg", 349), ("Weintrauben - 500g", 299),
        ("Zitronen - 4 Stück", 169), ("Tomaten - 500g", 199), ("Gurke", 79), ("Paprika - 3 Stück", 219),
        ("Kartoffeln - 2kg", 269), ("Zwiebeln - 1kg", 139), ("Möhren - 1kg", 119), ("Salat", 149), ("Brokkoli", 179),
        ("Champignons - 400g", 229), ("Hackfleisch - 500g", 499), ("Hähnchenbrust - 600g", 699),
        ("Rindersteak - 300g", 999), ("Bratwurst - 5 Stück", 379), ("Schinken - 200g", 259), ("Salami - 100g", 189),
        ("Lachs - 250g", 599), ("Fischstäbchen", 329), ("Tiefkühlpizza", 289), ("Pommes frites - 1kg", 249),
        ("Nudeln - 500g", 119), ("Reis - 1kg", 239), ("Mehl - 1kg", 95), ("Zucker - 1kg", 145), ("Salz - 500g", 85),
        ("Olivenöl - 750ml", 899), ("Tomatensoße", 179), ("Ketchup", 229), ("Senf", 105), ("Müsli - 750g", 379),
        ("Honig - 500g", 549), ("Marmelade", 199), ("Schokolade - 100g", 129), ("Kekse", 159), ("Chips - 175g", 199),
        ("Mineralwasser - 1,5L", 81), ("Orangensaft - 1L", 219), ("Cola - 1L", 139), ("Bier - 6 × 0,5L", 529),
        ("Kaffee - 500g", 749), ("Tee - 25 Beutel", 169),
    ]
}
